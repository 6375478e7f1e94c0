"""``./pants`` hands the remote cache of ``slipway.toml`` to Pants."""

from __future__ import annotations

import shutil

import pytest

from tests.bootstrap.machine import PYTHON, ROOT, Machine

pytestmark = pytest.mark.skipif(
    not PYTHON.name.startswith("python3.12"), reason="these tests do not run on Python 3.12"
)


@pytest.fixture
def machine(with_uv: Machine) -> Machine:
    """A machine with both interpreters, and a checkout with the library."""
    (with_uv.bin / "python3.12").symlink_to(PYTHON)
    with_uv.add_python("3.9")
    library = with_uv.checkout / "build-support/slipway"
    library.mkdir()
    for part in ("__init__.py", "errors.py", "settings"):
        source = ROOT / "build-support/slipway" / part
        (shutil.copytree if source.is_dir() else shutil.copy)(source, library / part)
    return with_uv


def options(machine: Machine) -> tuple[dict[str, str], str]:
    """Return the remote options that Pants gets, and what people see."""
    done = machine.run("pants", "list")
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("PANTS_REMOTE")]
    return dict(line.split("=", 1) for line in lines), done.stderr


def configure(machine: Machine, text: str) -> None:
    (machine.checkout / "slipway.toml").write_text(text, encoding="utf-8")


def test_pants_gets_the_address_and_reads(machine: Machine) -> None:
    configure(machine, '[pipeline]\nremote-cache = "grpc://127.0.0.1:8980"\n')
    given, _ = options(machine)
    assert given["PANTS_REMOTE_STORE_ADDRESS"] == "grpc://127.0.0.1:8980"
    assert given["PANTS_REMOTE_CACHE_READ"] == "true"
    assert given["PANTS_REMOTE_CACHE_WARNINGS"] == "first_only"


@pytest.mark.parametrize("text", ["", "[triton]\n"])
def test_without_the_setting_pants_gets_nothing(machine: Machine, text: str) -> None:
    configure(machine, text)
    assert options(machine)[0] == {}


def test_a_laptop_turns_it_off_and_pants_own_variable_comes_first(machine: Machine) -> None:
    configure(machine, '[pipeline]\nremote-cache = "grpc://127.0.0.1:8980"\n')
    machine.variables["SLIPWAY_REMOTE_CACHE"] = "off"
    assert options(machine)[0] == {}
    machine.variables["SLIPWAY_REMOTE_CACHE"] = ""
    machine.variables["PANTS_REMOTE_STORE_ADDRESS"] = "grpc://a:1"
    assert options(machine)[0] == {"PANTS_REMOTE_STORE_ADDRESS": "grpc://a:1"}


def test_a_mistake_is_said_once_and_stops_no_build(machine: Machine) -> None:
    configure(machine, '[pipeline]\nremote-cache = "8980"\n')
    given, seen = options(machine)
    assert given == {}
    assert seen.count("remote cache: not used:") == 1 and "fix: remote-cache =" in seen
