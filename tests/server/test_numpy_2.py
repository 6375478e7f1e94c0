"""Models with numpy 2 on the local server, whose stub knows numpy 1 only."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from slipway.errors import SlipwayError
from slipway.server import backend_files, backends, source, triton
from slipway.server.server import Server
from slipway.settings import Settings
from slipway.triton.image import numpy_support
from tests import fixture_models
from tests.server import numpy_2_soak
from tests.server.numpy_2_soak import EVERY_TYPE, IDENTITY

REQUEST = {
    "TEXT": np.array([[b"a\0\xff"]], dtype=object),
    "NUMBERS": np.arange(3, dtype=np.float32).reshape(1, 3),
}
# prints the modules of the adapter that a model's process has imported
PROBE = """
import sys

print("of Slipway:", [name for name in sys.modules if "slipway" in name], flush=True)
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> Path:
    """The locked packages of a model with numpy 2, from the package index."""
    return numpy_2_soak.install(tmp_path_factory.mktemp("packages"), settings)


@pytest.fixture(scope="module")
def serving(
    tmp_path_factory: pytest.TempPathFactory, settings: Settings, site: Path
) -> Iterator[Server]:
    """A server with the two models of the soak, on numpy 2."""
    with numpy_2_soak.serving(settings, tmp_path_factory.mktemp("soak"), site) as server:
        yield server


@pytest.fixture
def backend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slipway_cache: Path) -> Path:
    """A copy of the files that are added to the Python backend, which a test may change."""
    folder = shutil.copytree(backend_files.PYTHON_BACKEND, tmp_path / "python_backend")
    monkeypatch.setattr(backend_files, "PYTHON_BACKEND", folder)
    return folder


def version_in(site: Path) -> str:
    """The version of numpy in a folder of packages."""
    (metadata,) = site.glob("numpy-*.dist-info")
    return metadata.name.removesuffix(".dist-info").removeprefix("numpy-")


def prepare() -> Path:
    """The prepared backend directory."""
    return backends.prepare(source.find_server(Settings(root=Path("/"))), "3.12")


def test_every_type_comes_back_in_every_layout_and_through_calls(serving: Server) -> None:
    assert numpy_2_soak.every_form(serving) == []


def test_many_requests_of_several_clients_are_right_and_leave_no_memory(serving: Server) -> None:
    result = numpy_2_soak.soak(serving, 3000)
    assert result.wrong == []
    assert len(result.growth) == 2 * numpy_2_soak.INSTANCES + 1
    assert not result.failed


def test_the_server_is_described_with_the_numpy_to_which_it_was_adapted(
    serving: Server, site: Path
) -> None:
    assert serving.describe(EVERY_TYPE).endswith(f", adapted to numpy {version_in(site)}")
    assert serving.adapted_numpy(IDENTITY) == (version_in(site),)


def test_pandas_on_pyarrow_and_a_model_with_numpy_1_are_served_by_one_server(
    server: Server, site: Path, tmp_path: Path
) -> None:
    server.load("new.tar.gz", fixture_models.copy("arrow_table", tmp_path, site))
    server.load("old.tar.gz", fixture_models.copy("identity", tmp_path))
    table = {
        "CITY": np.array([["Bern", "Z\u00fcrich", "Bern"]], dtype=object),
        "AMOUNT": np.array([[1.5, 2, 3]], dtype=np.float32),
    }
    for _ in range(3):  # in turns
        sums = server.invoke("new.tar.gz", table)
        assert sums["NAMES"].tolist() == [[b"Bern", "Z\u00fcrich".encode()]]
        assert sums["TOTALS"].tolist() == [[4.5, 2.0]]
        assert sums["NUMPY"].tolist() == [[version_in(site).encode()]]
        back = server.invoke("old.tar.gz", REQUEST)
        assert back["TEXT_BACK"].tolist() == REQUEST["TEXT"].tolist()
        np.testing.assert_array_equal(back["NUMBERS_BACK"], REQUEST["NUMBERS"])
    assert server.adapted_numpy("new.tar.gz") == (version_in(site),)
    assert server.adapted_numpy("old.tar.gz") == ()
    assert server.describe("old.tar.gz") == str(server.source)
    for target in ("new.tar.gz", "old.tar.gz"):
        server.unload(target)


@pytest.mark.parametrize("new", [True, False])
def test_the_adapter_is_in_the_processes_of_models_with_numpy_2_only(
    settings: Settings, site: Path, tmp_path: Path, log_file: Path, new: bool
) -> None:
    folder = fixture_models.copy("identity", tmp_path, site if new else None)
    with (folder / "identity_step" / "1" / "model.py").open("a", encoding="utf-8") as file:
        file.write(PROBE)
    with triton.start(settings, log_file=log_file) as server:
        server.load("probed.tar.gz", folder)
    modules = ["slipway_numpy_2_check", "slipway_numpy_2"] if new else []
    assert f"of Slipway: {modules}\n" in log_file.read_text(encoding="utf-8")


def test_onnx_models_are_served_with_numpy_2(
    settings: Settings, site: Path, tmp_path: Path
) -> None:
    import onnxruntime

    # before the folder of the installed packages, where numpy 1 is
    path = f"{site}:{Path(onnxruntime.__file__).parent.parent}"
    ones = np.ones((2, 4), np.float32)
    with triton.start(settings, environment={"SLIPWAY_ONNXRUNTIME_PATH": path}) as server:
        server.load("adder.tar.gz", fixture_models.copy("adder", tmp_path))
        assert server.adapted_numpy("adder.tar.gz") == (version_in(site),)
        answer = server.invoke("adder.tar.gz", {"A": ones, "B": ones * 2})
    np.testing.assert_array_equal(answer["SUM"], ones * 3)


def test_a_numpy_that_was_not_tested_fails_the_load_with_the_versions_that_were(
    server: Server, site: Path, tmp_path: Path
) -> None:
    newer = tmp_path / "newer"
    (newer / "numpy").mkdir(parents=True)
    for path in (site / "numpy").iterdir():
        if path.name != "version.py":
            (newer / "numpy" / path.name).symlink_to(path)
    for path in site.glob("numpy.libs"):
        (newer / path.name).symlink_to(path)
    text = (site / "numpy" / "version.py").read_text(encoding="utf-8")
    changed = text.replace(f'"{version_in(site)}"', '"2.99.0"')
    (newer / "numpy" / "version.py").write_text(changed, encoding="utf-8")
    with pytest.raises(SlipwayError, match=r"numpy 2\.99\.0 is not a version") as refused:
        server.load("newer.tar.gz", fixture_models.copy("identity", tmp_path, newer))
    newest = numpy_support.TESTED_VERSIONS[-1]
    assert refused.value.fix == (
        f"write numpy<={newest} in requirements.txt, then run `slipway lock`"
    )


@pytest.mark.parametrize(
    ("step", "mistake", "message"),
    [
        ("    _replace_new_from_descr()\n", "", "the input array(.|\n)* became array"),
        ("    header.true = array\n", "", "no attribute 'true'"),
        ("size, 1, size))", "size, 1, 0))", "gets the header"),
        ("(), _sized(len(data))", "len(data), np.uint8", "the strings (.|\n)* became array"),
    ],
)
def test_an_adapter_that_does_not_work_fails_the_load_instead_of_answers(
    step: str,
    mistake: str,
    message: str,
    backend: Path,
    settings: Settings,
    site: Path,
    tmp_path: Path,
) -> None:
    text = (backend / "numpy_2.py").read_text(encoding="utf-8")
    assert text.count(step) == 1
    (backend / "numpy_2.py").write_text(text.replace(step, mistake), encoding="utf-8")
    with triton.start(settings) as server, pytest.raises(SlipwayError, match=message):
        server.load("broken.tar.gz", fixture_models.copy("identity", tmp_path, site))


def test_a_stub_of_another_wheel_is_not_adapted_and_the_load_says_so(
    settings: Settings,
    site: Path,
    tmp_path: Path,
    slipway_cache: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(backend_files, "TESTED_STUBS", {"3.12": "0" * 64})
    with (
        triton.start(settings) as server,
        pytest.raises(SlipwayError, match="does not work with this Python stub") as refused,
    ):
        server.load("other.tar.gz", fixture_models.copy("identity", tmp_path, site))
    assert refused.value.fix is not None and "nvidia-pytriton==0.7.0" in refused.value.fix


def test_the_prepared_folder_depends_on_the_adapter_and_the_tested_versions(
    backend: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = [prepare()]
    with (backend / "numpy_2.py").open("a", encoding="utf-8") as file:
        file.write("# another\n")
    folders.append(prepare())
    monkeypatch.setattr(numpy_support, "TESTED_VERSIONS", ("2.0.0",))
    folders.append(prepare())
    assert len(set(folders)) == 3
    assert all((folder / "python" / "slipway_numpy_2.py").is_file() for folder in folders)
    assert prepare() == folders[-1]
