"""Pack the standard library as a zip of bytecode, as python.org's embeddable distribution does.

CPython has ``lib/python312.zip`` on its path by default. One stored file is extracted instead of
600, and the archive that contains it compresses it.
"""

from __future__ import annotations

import hashlib
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

from slipway.cache import mark_used
from slipway.files import atomic_write, cache_dir

TIME = (1980, 1, 1, 0, 0, 0)
# left out, for every source of the interpreter: tests, installers, graphical modules
DROPPED = (
    "config-*",
    "ensurepip/*",
    "idlelib/*",
    "lib2to3/*",
    "pydoc_data/*",
    "test/*",
    "*/test/*",
    "*/tests/*",
    "tkinter/*",
    "turtle.py",
    "turtledemo/*",
    "lib-dynload/_test*",
    "lib-dynload/*_test.*",
    "lib-dynload/_tkinter*",
    "lib-dynload/_xxtestfuzz.*",
    "lib-dynload/xx*",
)


def zip_modules(modules: Mapping[str, Path], scratch: Path) -> Path:
    """Return the zip of ``modules`` (``json/decoder.py`` → its source), cached by content."""
    digest = hashlib.sha256(sys.version.encode())
    for name, path in sorted(modules.items()):
        digest.update(f"\0{name}\0".encode() + path.read_bytes())
    target = cache_dir("bytecode") / f"{digest.hexdigest()}.zip"
    if not target.is_file():
        with atomic_write(target) as sibling:
            _write(modules, scratch, sibling)
    mark_used(target)
    return target


def _write(modules: Mapping[str, Path], scratch: Path, out: Path) -> None:
    # threads and processes, which those who only ask what is left out do not need
    from slipway.environment.bytecode import SourceFile, compile_all

    sources = [
        SourceFile(path, f"<python>/{name}", scratch / f"{name}c")
        for name, path in sorted(modules.items())
    ]
    compile_all(sources)
    with zipfile.ZipFile(out, "w") as archive:
        for source in sources:
            if source.target.is_file():
                name = source.target.relative_to(scratch).as_posix()
                info = zipfile.ZipInfo(name, TIME)
                info.external_attr = 0o644 << 16
                archive.writestr(info, source.target.read_bytes())
