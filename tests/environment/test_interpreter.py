from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from conda_package_streaming.create import conda_builder

from slipway import process
from slipway.environment import build_environment, interpreter, lock_requirements
from slipway.environment.platforms import OWN_PLATFORM
from slipway.errors import SlipwayError
from slipway.settings import Settings
from tests.environment.wheelhouse import Wheelhouse

MINOR = "{}.{}".format(*sys.version_info)
POISON = "#!/bin/sh\necho run >> {trace}\nexit 1\n"


def python_package(
    channel: Path,
    platform: str,
    version: str,
    files: Mapping[str, str],
    links: Mapping[str, str] | None = None,
) -> None:
    """Write the conda package ``python`` into a channel that is a folder."""
    links = links or {}
    folder = channel / platform
    folder.mkdir(parents=True, exist_ok=True)
    (channel / "noarch").mkdir(exist_ok=True)
    paths = [
        {
            "_path": path,
            "path_type": "hardlink",
            "sha256": hashlib.sha256(text.encode()).hexdigest(),
            "size_in_bytes": len(text),
        }
        for path, text in files.items()
    ]
    paths += [{"_path": path, "path_type": "softlink"} for path in links]
    index = {
        "name": "python",
        "version": version,
        "build": "h0_0",
        "build_number": 0,
        "depends": [],
        "subdir": platform,
    }
    info = {"index.json": index, "paths.json": {"paths": paths, "paths_version": 1}}
    with conda_builder(f"python-{version}-h0_0", folder, compression_level=1) as package:
        members = {f"info/{k}": json.dumps(v) for k, v in info.items()} | dict(files)
        for path, text in members.items():
            member = tarfile.TarInfo(path)
            member.size, member.mode = len(text), 0o755 if path.startswith("bin/") else 0o644
            package.addfile(member, io.BytesIO(text.encode()))
        for path, target in links.items():
            member = tarfile.TarInfo(path)
            member.type, member.linkname = tarfile.SYMTYPE, target
            package.addfile(member)


def index_channel(channel: Path) -> None:
    request = json.dumps({"task": "index", "folder": str(channel)})
    process.run([sys.executable, "-P", interpreter.WORKER], what="indexing", stdin=request)


@pytest.fixture
def channel(settings: Settings, tmp_path: Path) -> Path:
    """Return a channel with a Python for linux-aarch64 that leaves a trace if it is run."""
    folder = settings.root / "conda" / "channel"
    poison = POISON.format(trace=tmp_path / "trace")
    for version in ("3.12.4", "3.12.9", "3.13.1"):
        files = {
            f"bin/python{MINOR}": poison,
            f"lib/libpython{MINOR}.so.1.0": "not for this machine",
            f"lib/python{MINOR}/os.py": "",
            f"lib/python{MINOR}/json/__init__.py": f"FROM = '{version}'\n",
        }
        python_package(folder, "linux-aarch64", version, files)
    index_channel(folder)
    return folder


@pytest.fixture
def foreign(settings: Settings, channel: Path) -> Settings:
    return replace(settings, channels=("conda/channel",), platform="linux-aarch64")


def test_an_environment_for_another_platform_is_built_without_running_its_code(
    requirements: Callable[..., Path], wheelhouse: Wheelhouse, foreign: Settings, tmp_path: Path
) -> None:
    wheelhouse.numpy()
    for machine in ("x86_64", "aarch64"):
        files = {"shapes/__init__.py": "", f"shapes/core.{machine}.so": machine}
        wheelhouse.add("shapes", files=files, tag=f"cp312-cp312-manylinux_2_28_{machine}")
    path = lock_requirements(requirements("numpy", "shapes"), foreign)
    built = build_environment(path, foreign)
    assert (built.platform, built.python) == ("linux-aarch64", "3.12.9")
    assert built.interpreter == "local channel"
    with tarfile.open(built.archive) as archive:
        names = archive.getnames()
    assert f"lib/python{MINOR}/site-packages/shapes/core.aarch64.so" in names
    assert not [name for name in names if "x86_64" in name]
    assert not (tmp_path / "trace").exists()


def test_only_the_needed_files_of_a_channels_python_are_kept(
    requirements: Callable[..., Path], wheelhouse: Wheelhouse, settings: Settings
) -> None:
    wheelhouse.numpy()
    program = "\x7fELF\x02\x01 for another machine"
    files = {
        f"bin/python{MINOR}": program,
        "bin/openssl": program,
        "compiler_compat/README": "",
        f"include/python{MINOR}/Python.h": "",
        f"lib/libpython{MINOR}.so.1.0": "",
        "lib/libz.so.1.3.1": "",
        f"lib/python{MINOR}/os.py": "",
        f"lib/python{MINOR}/test/test_os.py": "",
        "lib/tcl8.6/init.tcl": "",
        "share/man/man1/python.1": "",
        "share/zoneinfo/Europe/Rome": "",
        "ssl/cacert.pem": "",
    }
    links = {
        "bin/python": f"python{MINOR}",
        "bin/python3": f"python{MINOR}",
        "bin/python3.1": f"python{MINOR}",
        f"lib/libpython{MINOR}.so": f"libpython{MINOR}.so.1.0",
        "lib/libz.so": "libz.so.1.3.1",
        "lib/libz.so.1": "libz.so.1.3.1",
        "lib/python3.1": f"python{MINOR}",
    }
    folder = settings.root / "conda" / "channel"
    python_package(folder, "linux-aarch64", f"{MINOR}.9", files, links)
    index_channel(folder)
    foreign = replace(settings, channels=("conda/channel",), platform="linux-aarch64")
    built = build_environment(lock_requirements(requirements("numpy"), foreign), foreign)
    with tarfile.open(built.archive) as archive:
        names = {member.name for member in archive if member.isfile()}
    assert {name for name in names if "numpy" not in name} == {
        "bin/activate",
        "bin/deactivate",
        "bin/python",
        "bin/python3",
        f"bin/python{MINOR}",
        f"lib/libpython{MINOR}.so.1.0",
        "lib/libz.so.1",
        f"lib/python{MINOR}/os.py",
        f"lib/python{MINOR.replace('.', '')}.zip",
        "share/zoneinfo/Europe/Rome",
        "ssl/cacert.pem",
    }


def test_the_lock_of_one_platform_serves_another(
    requirements: Callable[..., Path], wheelhouse: Wheelhouse, foreign: Settings, settings: Settings
) -> None:
    wheelhouse.numpy()
    path = lock_requirements(
        requirements("numpy"), replace(foreign, platform=OWN_PLATFORM, channels=())
    )
    assert build_environment(
        path, replace(foreign, platform=OWN_PLATFORM), platform="linux-aarch64"
    ).platform


def test_locking_pins_the_interpreter_of_a_channel(
    requirements: Callable[..., Path], wheelhouse: Wheelhouse, foreign: Settings, channel: Path
) -> None:
    wheelhouse.numpy()
    path = lock_requirements(requirements("numpy"), foreign)
    first = build_environment(path, foreign)
    files = {
        f"bin/python{MINOR}": "",
        f"lib/libpython{MINOR}.so.1.0": "",
        f"lib/python{MINOR}/os.py": "",
    }
    python_package(channel, "linux-aarch64", "3.12.11", files)
    index_channel(channel)
    assert (foreign.root / "interpreter.lock").is_file()
    assert build_environment(path, foreign) == first
    lock_requirements(path.with_name("requirements.txt"), foreign, upgrade=True)
    assert build_environment(path, foreign).python == "3.12.11"


def test_a_platform_that_no_channel_serves_is_refused(
    requirements: Callable[..., Path], wheelhouse: Wheelhouse, settings: Settings
) -> None:
    wheelhouse.numpy()
    path = lock_requirements(requirements("numpy"), settings)
    with pytest.raises(
        SlipwayError, match="no channel that provides a Python for linux-aarch64"
    ) as no:
        build_environment(path, settings, platform="linux-aarch64")
    assert "channels" in (no.value.fix or "")


def test_an_unknown_platform_is_refused(
    requirements: Callable[..., Path], wheelhouse: Wheelhouse, settings: Settings
) -> None:
    wheelhouse.numpy()
    path = lock_requirements(requirements("numpy"), settings)
    with pytest.raises(SlipwayError, match="cannot be built for 'osx-arm64'"):
        build_environment(path, settings, platform="osx-arm64")


def test_without_a_reachable_channel_this_machines_python_is_used(settings: Settings) -> None:
    unreachable = replace(settings, channels=("http://127.0.0.1:9/none",))
    assert interpreter.choose_interpreter(unreachable, OWN_PLATFORM).local


@pytest.mark.parametrize("content", ["nothing", "another Python"])
def test_a_channel_without_the_python_is_refused_not_replaced(
    settings: Settings, channel: Path, content: str
) -> None:
    name = "conda/channel" if content == "another Python" else "conda/empty"
    for subdir in ("noarch", OWN_PLATFORM):
        (settings.root / "conda" / "empty" / subdir).mkdir(parents=True)
    configured = replace(settings, channels=(name,))
    with pytest.raises(SlipwayError, match=f"finding Python 3.12 for {OWN_PLATFORM}") as refused:
        interpreter.choose_interpreter(configured, OWN_PLATFORM)
    assert "channels" in (refused.value.fix or "")


def test_a_channel_without_libpython_is_refused(
    requirements: Callable[..., Path], wheelhouse: Wheelhouse, settings: Settings, tmp_path: Path
) -> None:
    wheelhouse.numpy()
    folder = settings.root / "conda" / "channel"
    files = {f"bin/python{MINOR}": "", f"lib/python{MINOR}/os.py": ""}
    python_package(folder, OWN_PLATFORM, f"{MINOR}.4", files)
    index_channel(folder)
    configured = replace(settings, channels=("conda/channel",))
    path = lock_requirements(requirements("numpy"), configured)
    with pytest.raises(SlipwayError, match="no lib/libpython3.12.so.1.0 in the channels' packages"):
        build_environment(path, configured)


def test_a_broken_interpreter_lock_is_named(
    requirements: Callable[..., Path], wheelhouse: Wheelhouse, settings: Settings
) -> None:
    wheelhouse.numpy()
    path = lock_requirements(requirements("numpy"), settings)
    (settings.root / "interpreter.lock").write_text("{")
    with pytest.raises(SlipwayError, match="interpreter.lock"):
        build_environment(path, settings)


def test_repeated_requests_to_channels_end_cleanly(foreign: Settings) -> None:
    """rattler's runtime may crash a process that exits while it shuts down."""
    code = (
        "import sys; from pathlib import Path; from slipway.environment import interpreter as i\n"
        "from slipway.settings import Settings\n"
        f"i.pin_interpreter(Settings(root=Path({str(foreign.root)!r}), channels=('conda/channel',),"
        " platform='linux-aarch64'))"
    )
    for _ in range(5):
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        assert subprocess.run([sys.executable, "-c", code], env=environment).returncode == 0
