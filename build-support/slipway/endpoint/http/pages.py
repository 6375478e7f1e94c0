"""Serve the files of the live page: the overview at ``/``, the playground at ``/playground``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import PurePath

from aiohttp import web

type Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

# no other file of the folder is served
KINDS = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
# each folder's index.html
ADDRESSES = {"overview": "/", "playground": "/playground"}
# pictures and sounds that a caller chose or a model answered are blobs of the page's own making
POLICY = (
    "default-src 'self'; img-src 'self' blob:; media-src blob:; object-src 'none';"
    " frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def page_handlers() -> dict[str, Handler]:
    """Return a handler for each of the live page's files, by path."""
    handlers: dict[str, Handler] = {}
    for folder in files("slipway.endpoint").joinpath("page").iterdir():
        if not folder.is_dir():
            continue
        for file in folder.iterdir():
            kind = PurePath(file.name).suffix
            if kind in KINDS:
                is_index = file.name == "index.html"
                path = ADDRESSES[folder.name] if is_index else f"/page/{folder.name}/{file.name}"
                handlers[path] = _serve(file, KINDS[kind])
    return handlers


def _serve(file: Traversable, kind: str) -> Handler:
    text = file.read_text(encoding="utf-8")

    async def serve(request: web.BaseRequest) -> web.Response:
        return web.Response(text=text, content_type=kind, headers=HEADERS)

    return serve
