"""Small projects to build, in a folder or as a source distribution."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

# a PEP 517 backend of the project's own: it needs no package, so its tests are quick
BACKEND = """
import os, zipfile

def build_wheel(folder, config_settings=None, metadata_directory=None):
{before}
    name = "{name}-{version}-{tag}.whl"
    info = "{name}-{version}.dist-info/"
    with zipfile.ZipFile(os.path.join(folder, name), "w", zipfile.ZIP_DEFLATED) as wheel:
        for file in sorted(os.listdir("{name}"), key=hash):
            wheel.write("{name}/" + file)
        wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\\nName: {name}\\n"
            "Version: {version}\\n{requires}")
        wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: {tag}\\n")
        names = wheel.namelist() + [info + "RECORD"]
        wheel.writestr(info + "RECORD", "".join(n + ",,\\n" for n in names))
    return name
"""
PYPROJECT = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'


def project_files(
    name: str,
    version: str = "1.0",
    *,
    tag: str = "py3-none-any",
    before: str = "pass",
    requires: tuple[str, ...] = (),
    files: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Return the files of a project whose backend runs the lines ``before`` in each build."""
    backend = BACKEND.format(
        name=name,
        version=version,
        tag=tag,
        before="\n".join(f"    {line}" for line in before.splitlines()),
        requires="".join(f"Requires-Dist: {required}\\n" for required in requires),
    )
    content = files or {"__init__.py": f"__version__ = {version!r}\n", "shapes.py": "SIDES = 4\n"}
    return {
        "pyproject.toml": PYPROJECT,
        "backend.py": backend,
        **{f"{name}/{file}": text for file, text in content.items()},
    }


def setuptools_files(name: str, version: str = "1.0", setup: str = "") -> dict[str, str]:
    """Return the files of a project with a ``setup.py`` alone, as older ones have it."""
    return {
        "setup.py": f"from setuptools import setup\n{setup}\n"
        f"setup(name={name!r}, version={version!r}, packages=[{name!r}])\n",
        f"{name}/__init__.py": f"__version__ = {version!r}\n",
    }


def write_folder(files: Mapping[str, str], folder: Path) -> Path:
    """Write the files of a project to a folder, and return it."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def write_sdist(files: Mapping[str, str], wheelhouse: Path, name: str, version: str) -> Path:
    """Write a source distribution into a folder that serves as an index, and return it."""
    path = wheelhouse / f"{name}-{version}.tar.gz"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    with tarfile.open(path, "w:gz") as archive:
        for member, text in {**files, "PKG-INFO": metadata}.items():
            info = tarfile.TarInfo(f"{name}-{version}/{member}")
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))
    return path
