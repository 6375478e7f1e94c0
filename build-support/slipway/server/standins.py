"""Provide the libraries of the backends that stand in for native ones, before a model needs them.

A model's process finds them by a file in the server's directory, one for each backend: a server is
started before it is known what it serves.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from slipway.environment.tools import provide_tools
from slipway.errors import SlipwayError
from slipway.files import atomic_write
from slipway.triton import config
from slipway.triton.standins import STANDINS, StandIn, stand_in

FOLDER = "standins"  # of the server's directory
VARIABLE = "SLIPWAY_STANDINS"  # names it to the models' processes
PLATFORMS = {"pytorch_libtorch": "pytorch"}  # what older configs have in place of a backend


def provide_stand_ins(repository: Path, directory: Path, release: str) -> tuple[StandIn, ...]:
    """Install what stands in for the backends of the models in ``repository``, and return it.

    ``directory`` is the server's, ``release`` the Triton release that serves in production.

    Raises:
        SlipwayError: a library is not in the cache, and cannot be installed.
    """
    needed = tuple(stand_in(name, release) for name in sorted(set(_backends(repository))))
    for each in needed:
        file = directory / FOLDER / each.backend
        if file.is_file():
            continue
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            tools = provide_tools(each.lock)
        except SlipwayError as error:
            error.what = f"{each.library}, which serves models of the backend {each.backend!r}" + (
                f" on this machine, is not there: {error.what}"
            )
            raise
        with atomic_write(file) as sibling:
            sibling.write_text(f"{tools.site_packages}\n{release}\n{each}\n", encoding="utf-8")
    return needed


def _backends(repository: Path) -> Iterator[str]:
    for path in sorted(repository.glob(f"*/{config.FILE_NAME}")):
        # the server's own message on a broken config is clearer than ours
        with suppress(SlipwayError, OSError):
            parsed = config.load_config(path)
            name = parsed.backend or PLATFORMS.get(parsed.platform, "")
            if name in STANDINS and not any(path.parent.rglob(f"libtriton_{name}.so")):
                yield name
