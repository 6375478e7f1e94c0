"""What packages can do while their import is tried."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from slipway.environment.zipped.tried import try_imports
from slipway.server import network

MINOR = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture
def attempt(tmp_path: Path) -> Callable[..., list[str | None]]:
    """Return a function that tries modules of the given code, with the Python of the tests."""
    root = tmp_path / "root"
    (root / "bin").mkdir(parents=True)
    (root / f"bin/python{MINOR}").symlink_to(os.path.realpath(sys.executable))
    (root / "lib").symlink_to(Path(sys.base_prefix, "lib"))

    def attempt(*codes: str, seconds: float = 300.0) -> list[str | None]:
        for number, code in enumerate(codes):
            (tmp_path / f"module_{number}.py").write_text(code)
        packages = [(f"module_{number}",) for number in range(len(codes))]
        return try_imports(packages, [tmp_path], root, MINOR, seconds=seconds)

    return attempt


def test_the_error_of_each_package_is_returned(attempt: Callable[..., list[str | None]]) -> None:
    answers = attempt("", "import no_such_module", "import os; os._exit(3)", "raise SystemExit")
    assert answers[0] is None
    assert answers[1] == "ModuleNotFoundError: No module named 'no_such_module'"
    assert answers[2:] == ["its process ended", "SystemExit: "]


def test_a_package_gets_no_variable_of_the_builds_and_an_empty_home(
    attempt: Callable[..., list[str | None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-for-packages")
    monkeypatch.setenv("CI_JOB_TOKEN", "not-for-packages")
    [answer] = attempt(
        "import os, pathlib\n"
        "home = pathlib.Path.home()\n"
        "assert pathlib.Path.cwd() == home\n"
        "raise ValueError(f'{sorted(os.environ)} {list(home.iterdir())}')\n"
    )
    assert answer is not None and "ValueError" in answer and answer.endswith("[]")
    names = {name.strip("[]',") for name in answer.split()[1:-1]}
    assert names - {"LC_CTYPE"} == {  # which CPython may set by itself
        *("HOME", "TMPDIR", "PYTHONHOME", "PYTHONHASHSEED", "LD_LIBRARY_PATH")
    }


@pytest.mark.skipif(network.why_not() is not None, reason="the kernel allows no namespaces here")
def test_a_package_has_no_network(attempt: Callable[..., list[str | None]]) -> None:
    [answer] = attempt(
        "import socket\n"
        "names = [name for _, name in socket.if_nameindex()]\n"
        "try:\n"
        "    socket.create_connection(('192.0.2.1', 80), 5)\n"  # an address for documentation
        "except OSError as error:\n"
        "    raise ValueError(f'{names} {error.strerror}')\n"
    )
    assert answer == "ValueError: ['lo'] Network is unreachable"


def test_what_hangs_is_ended_and_the_others_are_tried(
    attempt: Callable[..., list[str | None]], tmp_path: Path
) -> None:
    started = tmp_path / "started"
    hanging = (
        "import os, time\n"
        "if os.fork() == 0:\n"
        f"    open({str(started)!r}, 'w').write(str(os.getpid()))\n"
        "time.sleep(600)\n"
    )
    assert attempt(hanging, "", seconds=5) == ["takes longer than 5 s", None]
    child = Path("/proc", started.read_text(), "status")
    limit = time.monotonic() + 60
    while child.exists() and "(zombie)" not in child.read_text() and time.monotonic() < limit:
        time.sleep(0.05)
    assert not child.exists() or "(zombie)" in child.read_text()


def test_what_a_package_leaves_running_does_not_keep_the_build_waiting(
    attempt: Callable[..., list[str | None]],
) -> None:
    before = time.monotonic()
    assert attempt("import os, time\nif os.fork() == 0:\n    time.sleep(600)\n", "") == [None, None]
    assert time.monotonic() - before < 250
