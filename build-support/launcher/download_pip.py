"""Download pip's wheel from the package index that pip is configured with.

For a Python without pip and ensurepip, such as Debian's ``python3``. Runs on Python 3.8 and later.
"""

from __future__ import annotations

import base64
import hashlib
import html.parser
import netrc
import os
import re
import sys
import urllib.parse
import urllib.request
from pathlib import Path

TIMEOUT = 60  # seconds


class Links(html.parser.HTMLParser):
    """Collect the targets of a page's links."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.page = page
        self.urls: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Add the link, without the digest behind its ``#``."""
        href = dict(attrs).get("href")
        if tag == "a" and href:
            self.urls.append(urllib.parse.urljoin(self.page, href).partition("#")[0])


def main(lockfile: Path, folder: Path) -> int:
    """Write the wheel that ``lockfile`` pins into ``folder`` and print its path."""
    lock = lockfile.read_text(encoding="utf-8")
    version = re.search(r"^pip==(\S+)", lock, re.MULTILINE)
    assert version is not None, lockfile
    name = f"pip-{version.group(1)}-py3-none-any.whl"
    problems = []
    for page in pages():
        try:
            for url in links(page):
                if urllib.parse.unquote(url).rpartition("/")[2] != name:
                    continue
                data = fetch(url)
                if f"sha256:{hashlib.sha256(data).hexdigest()}" not in lock:
                    raise ValueError(f"{name} is not the file that {lockfile.name} pins")
                (folder / name).write_bytes(data)
                print(folder / name)
                return 0
            problems.append(f"{page}: no {name}")
        except (OSError, ValueError) as error:
            problems.append(f"{page}: {error}")
    print("\n".join(problems), file=sys.stderr)
    return 1


def pages() -> list[str]:
    """Return where wheels of pip may be listed: the index's page and pip's `find-links`."""
    found = []
    index = os.environ.get("SLIPWAY_INDEX_URL", "").strip().rstrip("/")
    if index:
        found.append(f"{index}/pip/")
    for place in os.environ.get("SLIPWAY_FIND_LINKS", "").split():
        found.append(place if "://" in place else Path(place).absolute().as_uri() + "/")
    return found


def links(page: str) -> list[str]:
    """Return the URLs that a page, or a local folder, lists."""
    parts = urllib.parse.urlsplit(page)
    if parts.scheme == "file":
        folder = Path(urllib.request.url2pathname(parts.path))
        if folder.is_dir():
            if not (folder / "index.html").is_file():
                return [path.as_uri() for path in folder.iterdir()]
            page = (folder / "index.html").as_uri()
    parser = Links(page)
    parser.feed(fetch(page).decode("utf-8", "replace"))
    host = parts.netloc.rpartition("@")[2]
    # the same host takes the same credentials
    return [url.replace(f"//{host}/", f"//{parts.netloc}/", 1) for url in parser.urls]


def fetch(url: str) -> bytes:
    """Return what a URL holds, with the credentials of the URL or of ``~/.netrc``."""
    parts = urllib.parse.urlsplit(url)
    address = parts._replace(netloc=parts.netloc.rpartition("@")[2])
    request = urllib.request.Request(address.geturl(), headers={"Accept": "text/html, */*"})
    user, password = parts.username, parts.password
    if user is None and parts.hostname:
        try:
            known = netrc.netrc().authenticators(parts.hostname)
            user, password = (known[0], known[2]) if known else (None, None)
        except (OSError, netrc.NetrcParseError):
            pass
    if user is not None:
        pair = f"{urllib.parse.unquote(user)}:{urllib.parse.unquote(password or '')}"
        token = base64.b64encode(pair.encode()).decode("ascii")
        request.add_unredirected_header("Authorization", f"Basic {token}")
    with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
        data: bytes = answer.read()
    return data


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
