"""Commands on full and read-only disks: real file systems, mounted in a namespace of the test.

Each command runs as ``python -m slipway`` where a ``tmpfs`` of a few kilobytes, or a read-only one,
lies over one folder. Root may mount it; others do in a user namespace.
"""

from __future__ import annotations

import errno
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from slipway.disk import find_disk_error
from slipway.files import atomic_write

NAMESPACE = ["unshare", "--mount", *([] if os.getuid() == 0 else ["--map-root-user"])]
MOUNT = 'mount -t tmpfs -o "$1" tmpfs "$2" && shift 2 && exec "$@"'
SMALL, READ_ONLY = "size=16k", "ro"
REFUSALS = {SMALL: os.strerror(errno.ENOSPC), READ_ONLY: os.strerror(errno.EROFS)}

type Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one ONNX model, and no Python of its own."""
    root = tmp_path / "repository"
    shutil.copytree(Path(__file__).parents[1] / "check/fixtures/good", root)
    return root


@pytest.fixture
def run(repository: Path, tmp_path: Path) -> Run:
    """Return a function that runs ``slipway`` with a disk of its own over one folder."""

    def command(
        *arguments: str, disk: str, over: Path, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        over.mkdir(parents=True, exist_ok=True)
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(sys.path),
            "SLIPWAY_CACHE": str(tmp_path / "cache"),
            "NO_COLOR": "1",
            **variables,
        }
        return subprocess.run(
            [*mounted(disk, over), sys.executable, "-m", "slipway", *arguments],
            cwd=repository,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    return command


def mounted(disk: str, folder: Path) -> list[str]:
    """Return the command before another one for which a disk lies over ``folder``."""
    return [*NAMESPACE, "bash", "-c", MOUNT, "mount", disk, str(folder)]


def refused(done: subprocess.CompletedProcess[str], disk: str, path: Path) -> str:
    """Return the error, which must name the path and the reason, with a fix and no traceback."""
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr and "bug in slipway" not in done.stderr
    assert str(path) in done.stderr and REFUSALS[disk] in done.stderr, done.stderr
    assert "\nfix: " in done.stderr
    if disk == SMALL:
        assert "are free)" in done.stderr
    return done.stderr


@pytest.mark.parametrize("disk", [SMALL, READ_ONLY])
def test_a_report_of_a_check_is_not_written(
    run: Run, repository: Path, tmp_path: Path, disk: str
) -> None:
    broken = repository / "models/sound/sound_preprocessing/1/model.py"
    lines = [f"unknown_{number}()\n" for number in range(200)]
    broken.write_text(broken.read_text() + "".join(lines))
    output = tmp_path / "disk" / "report.json"
    done = run("check", "--format", "json", "--output", str(output), disk=disk, over=output.parent)
    error = refused(done, disk, output.parent)
    if disk == SMALL:
        assert "report.json needs more than" in error


@pytest.mark.parametrize("disk", [SMALL, READ_ONLY])
def test_a_new_model_is_not_half_written(run: Run, repository: Path, disk: str) -> None:
    subprocess.run([sys.executable, "-m", "dvc", "init", "-q", "--no-scm"], cwd=repository)
    models = repository / "models"
    done = run("new", "demo", "--template", "tabular", "--yes", disk=disk, over=models)
    refused(done, disk, models)


@pytest.mark.parametrize("disk", [SMALL, READ_ONLY])
def test_a_cache_that_cannot_be_written_is_named_with_its_variable(
    run: Run, repository: Path, tmp_path: Path, disk: str
) -> None:
    lock = str(repository / "models/sound/requirements.lock")
    folder = tmp_path / "full"
    done = run(
        *("environment", "build", lock, "--output", str(tmp_path / "out")),
        **{"disk": disk, "over": folder, "SLIPWAY_CACHE": str(folder)},
    )
    assert "SLIPWAY_CACHE" in refused(done, disk, folder)


@pytest.mark.parametrize("disk", [SMALL, READ_ONLY])
def test_a_program_that_cannot_write_is_quoted_with_its_path(
    run: Run, tmp_path: Path, disk: str
) -> None:
    folder = tmp_path / "uv"
    done = run("lock", "sound", "--upgrade", disk=disk, over=folder, UV_CACHE_DIR=str(folder))
    assert "locking" in refused(done, disk, folder)


@pytest.mark.parametrize("disk", [SMALL, READ_ONLY])
def test_a_test_report_that_cannot_be_written_is_not_left_in_part(
    tmp_path: Path, disk: str
) -> None:
    test = tmp_path / "test_long.py"
    test.write_text("def test_long():\n    assert False, 'x' * 100_000\n")
    folder = tmp_path / "disk"
    folder.mkdir()
    report = folder / "report.xml"
    pytest_argv = [sys.executable, "-m", "pytest", "-p", "slipway.testing.plugin", "-q"]
    pytest_argv += [f"--rootdir={tmp_path}", f"--junitxml={report}", str(test)]
    listing = f'"$@" ; status=$?; ls {folder}; exit $status'
    done = subprocess.run(
        [*mounted(disk, folder), "bash", "-c", listing, "sh", *pytest_argv],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert f"the report was not written: {report}: {REFUSALS[disk]}" in done.stderr
    assert "Traceback" not in done.stderr
    assert report.name not in done.stdout.splitlines()


def test_a_limit_of_the_file_size_is_no_bug_either(tmp_path: Path) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    output = tmp_path / "completion"
    done = subprocess.run(
        [sys.executable, "-c", WRITER, str(output)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        preexec_fn=limit,
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"{output}: File too large" in done.stdout, done.stdout + done.stderr
    assert "completion needs about 10,000 bytes" in done.stdout
    assert "ulimit -f" in done.stdout
    assert not output.exists()


WRITER = """
import sys
from pathlib import Path
from slipway.disk import explain_disk_errors
from slipway.errors import SlipwayError
from slipway.files import atomic_write
try:
    with explain_disk_errors(), atomic_write(Path(sys.argv[1]), 10_000) as file:
        file.write_bytes(bytes(10_000))
except SlipwayError as error:
    print(error)
"""


def test_a_full_device_keeps_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "kept"
    target.write_text("before")
    with pytest.raises(OSError) as raised, atomic_write(target) as temporary:
        temporary.write_text("part")
        with open("/dev/full", "w") as device:
            device.write("x")
            device.flush()
    explained = find_disk_error(raised.value)
    assert explained is not None and explained.where == str(target)
    assert "kept needs more than 4 bytes" in explained.what
    assert target.read_text() == "before"


@pytest.mark.parametrize(
    ("error", "found"),
    [
        (OSError(errno.ENOSPC, "full"), True),
        (OSError(errno.EDQUOT, "quota"), True),
        (OSError(errno.EROFS, "read-only"), True),
        (PermissionError(errno.EACCES, "denied", "/nowhere/of/mine"), True),
        (RuntimeError("database or disk is full"), True),
        (FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']"), True),
        (FileNotFoundError(errno.ENOENT, "missing", "/nowhere"), False),
        (ValueError("a mistake"), False),
    ],
)
def test_the_errors_of_disks_are_known_from_others(error: Exception, found: bool) -> None:
    assert (find_disk_error(error) is not None) == found


def test_the_cause_of_an_error_may_be_the_disk() -> None:
    error = RuntimeError("the remote cannot be reached")
    error.__cause__ = OSError(errno.ENOSPC, "full", "/cache/object")
    explained = find_disk_error(error)
    assert explained is not None and explained.where == "/cache/object"
