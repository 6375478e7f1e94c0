"""The wheel slipway-client: what is in it, and that an application needs nothing else."""

from __future__ import annotations

import json
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import grimp
import pytest

import slipway
from slipway.client import stub
from slipway.store.directory import DirectoryStore
from tests.client import releases, wheels
from tests.client.fake_runtime import FakeRuntime

# imported where slipway itself is installed, and not needed otherwise
OPTIONAL = ("slipway.catalog.reader", "slipway.artifact.configs")
MOST_MODULES = 60
APPLICATION = Path(__file__).parent / "fixtures" / "application.py"


def modules_of_the_wheel() -> set[str]:
    return set((wheels.CLIENT / "modules.txt").read_text(encoding="utf-8").split())


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wheels.build_client(tmp_path_factory.mktemp("client"))


def packed(file: Path) -> set[str]:
    """The files of a wheel below ``slipway/``."""
    with zipfile.ZipFile(file) as opened:
        return {name for name in opened.namelist() if name.startswith("slipway/")}


def test_the_wheel_lists_the_modules_that_the_client_imports_and_no_others() -> None:
    graph = grimp.build_graph("slipway")
    importer, imported = OPTIONAL
    graph.remove_import(importer=importer, imported=imported)
    needed: set[str] = set()
    pending = ["slipway.client"]
    while pending:
        module = pending.pop()
        if module and module not in needed:
            needed.add(module)
            pending += [*graph.find_modules_directly_imported_by(module), module.rpartition(".")[0]]
    assert modules_of_the_wheel() == needed


def test_the_library_depends_on_the_wheel_of_its_own_version() -> None:
    requirement = (wheels.CLIENT / "requirement.txt").read_text(encoding="utf-8").strip()
    assert requirement == f"slipway-client=={slipway.__version__}"


def test_client_and_library_share_no_file_and_together_are_everything(
    wheel: Path, tmp_path: Path
) -> None:
    client, library = packed(wheel), packed(wheels.build_library(tmp_path))
    assert client & library == set()
    modules = {
        str(path.relative_to(wheels.LIBRARY.parent)) for path in wheels.LIBRARY.rglob("*.py")
    }
    assert {name for name in client | library if name.endswith(".py")} >= modules


@pytest.mark.parametrize("minor", ["3.9", "3.10", "3.11", "3.12", "3.13"])
def test_an_application_needs_only_the_wheel(
    minor: str,
    wheel: Path,
    fake: FakeRuntime,
    store: DirectoryStore,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    python = wheels.create_environment(
        tmp_path / "environment", wheels.find_python(minor), str(wheel)
    )
    (tmp_path / "slipway.toml").write_text(
        f'[release]\nstore = "{store.root.name}"\n', encoding="utf-8"
    )
    text = stub.generate_client("m", releases.ONE, releases.FEATURES)
    (tmp_path / "generated.py").write_text(text, encoding="utf-8")
    (tmp_path / "application.py").write_bytes(APPLICATION.read_bytes())
    done = subprocess.run(
        [python, "application.py", fake.url],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    observed = json.loads(done.stdout)
    assert observed["score"] == [[0.5]]
    assert [request.target for request in fake.requests] == [releases.ONE]
    assert "pip install 'slipway-client[metrics]'" in observed["metrics"]
    assert len(observed["modules"]) < MOST_MODULES, observed["modules"]
    # a comparison, because seconds alone depend on the machine
    assert observed["seconds"] < observed["seconds_of_boto3"]
    for key in ("seconds", "seconds_of_boto3"):
        record_property(f"python{minor}.{key}", observed[key])
    print(f"{minor}: {len(observed['modules'])} modules, {observed['seconds']:.3f} s")
