"""Base images: a tiny one that nothing can run, and one of Debian's packages and PyPI's server."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy
import onnxruntime

from slipway import settings as configuration
from slipway.archive.writer import TarGzWriter
from slipway.image.config import CREATED
from slipway.image.layer import Layer, writing_layer
from slipway.image.layout import CONFIG_TYPE, MANIFEST_TYPE, Layout, digest_of, dump
from slipway.server import backends
from slipway.server.source import candidates

PYTHON = f"{sys.version_info[0]}.{sys.version_info[1]}"
# what the server, an interpreter and a script need of Debian
PACKAGES = (
    "base-files,base-passwd,bash,coreutils,dash,libb64-0d,libbz2-1.0,libc6,libc-bin,libffi8,libgcc-s1,"
    "liblzma5,libssl3,libstdc++6,libtinfo6,perl-base,zlib1g"
)
UNUSED = ("test", "idlelib", "ensurepip", "site-packages", "lib2to3", "tkinter", "__pycache__")


def tiny_base(root: Path, **more: Any) -> Path:
    """An image of one small file that says that it has the Triton of 25.04."""
    layout = Layout(root)
    layout.create()
    with writing_layer(layout, "tiny") as layer:
        layer.writer.add_bytes("etc/os-release", b'NAME="Tiny"\n')
    variables = {"NVIDIA_TRITON_SERVER_VERSION": "25.04", "TRITON_SERVER_VERSION": "2.57.0"}
    _finish(layout, [layer.layer], variables, **more)
    return root


def debian_base(root: Path, work: Path) -> Path:
    """An image in which the server of the wheel runs, with its Python and ONNX backends."""
    layout = Layout(root)
    layout.create()
    tar = work / "debian.tar"
    command = ["mmdebstrap", "--quiet", "--variant=extract", f"--include={PACKAGES}", "bookworm"]
    subprocess.run([*command, str(tar)], check=True, stderr=subprocess.PIPE)
    debian = _from_tar(layout, tar)
    with writing_layer(layout, "the server of the wheel") as layer:
        _add_server(layer.writer)
    variables = {
        "LD_LIBRARY_PATH": "/opt/tritonserver/lib:/opt/python/lib",
        "PATH": "/opt/python/bin:/opt/tritonserver/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "SLIPWAY_ONNXRUNTIME_PATH": "/opt/python/packages",
        "SLIPWAY_PYTHON_BACKENDS": "onnxruntime",
        "TRITON_SERVER_VERSION": "2.51.0",
    }
    _finish(layout, [debian, layer.layer], variables)
    return root


def _from_tar(layout: Layout, tar: Path) -> Layer:
    """The layer of a tar that another program wrote, with its links and devices."""
    import gzip

    data = gzip.compress(tar.read_bytes(), 1, mtime=0)
    digest = layout.put(data, "")["digest"]
    return Layer(digest, len(data), digest_of(tar.read_bytes()), "Debian")


def _add_server(writer: TarGzWriter) -> None:
    source = next(
        found for found in candidates(configuration.Settings(Path())) if found.kind == "wheel"
    )
    site = source.program.parents[3]
    home = Path(sys.base_prefix)
    _add(writer, "opt/tritonserver/bin", source.program.parent, ["tritonserver"])
    _add_tree(writer, "opt/tritonserver/lib", site / "nvidia_pytriton.libs")
    _add_tree(writer, "opt/tritonserver/backends", backends.prepare(source, PYTHON))
    library = backends.libpython(PYTHON)
    _add(writer, "opt/python/lib", library.parent, [library.name])
    _add(writer, "opt/python/bin", home / "bin", [f"python{PYTHON}"])
    writer.add_link("opt/python/bin/python3", f"python{PYTHON}")
    stdlib = Path(sysconfig.get_path("stdlib"))
    _add_tree(writer, f"opt/python/lib/python{PYTHON}", stdlib, UNUSED)
    for package in (Path(numpy.__file__).parent, Path(onnxruntime.__file__).parent):
        _add_tree(writer, f"opt/python/packages/{package.name}", package, ("tests", "__pycache__"))
    _add_tree(writer, "opt/python/packages/numpy.libs", site / "numpy.libs")


def _add(writer: TarGzWriter, place: str, folder: Path, names: Iterable[str]) -> None:
    for name in names:
        path = folder / name
        mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
        writer.add_file(f"{place}/{name}", path, mode)


def _add_tree(writer: TarGzWriter, place: str, folder: Path, unused: Iterable[str] = ()) -> None:
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in unused)
        relative = Path(root).relative_to(folder).as_posix()
        _add(writer, place if relative == "." else f"{place}/{relative}", Path(root), sorted(files))


def _finish(layout: Layout, layers: list[Layer], variables: Mapping[str, str], **more: Any) -> None:
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Env": [f"{name}={value}" for name, value in variables.items()], **more},
        "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]},
        "history": [{"created": CREATED, "created_by": layer.purpose} for layer in layers],
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": layout.put(dump(config), CONFIG_TYPE),
        "layers": [layer.descriptor for layer in layers],
    }
    layout.name([("base", layout.put(dump(manifest), MANIFEST_TYPE))])
