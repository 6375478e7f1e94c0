"""Packages compiled for numpy 2 that do not declare it, with numpy 1."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from slipway.environment import lock_requirements
from slipway.environment.lock import pins
from slipway.environment.locking import numpy_api
from slipway.errors import SlipwayError
from slipway.settings import Settings
from tests.environment.wheelhouse import Wheelhouse

Write = Callable[..., Path]
TAG = "cp312-cp312-manylinux_2_17_x86_64"
# as numpy's headers put it into a module (the numpy that is installed: see the test below)
SENTENCE = (
    "module was compiled against NumPy C-API version 0x%x (NumPy {}) but the running NumPy has"
    " C-API version 0x%x."
)


def binary(needed: str) -> dict[str, str | bytes]:
    return {"shapes/libshapes_python.so.3": b"\x7fELF" + SENTENCE.format(needed).encode() + b"\0"}


def test_a_package_that_needs_numpy_2_is_refused_with_the_last_version_that_does_not(
    requirements: Write, wheelhouse: Wheelhouse, settings: Settings, slipway_cache: Path
) -> None:
    wheelhouse.numpy()
    for version, needed in (("3.9", "1.20"), ("4.0", "1.20"), ("4.1", "2.0"), ("5.0", "2.0")):
        wheelhouse.add("shapes", version, binary(needed), tag=TAG)
    path = requirements("numpy<2", "shapes")
    with pytest.raises(SlipwayError, match="shapes 5.0 is compiled for numpy 2.0") as refused:
        lock_requirements(path, settings)
    assert "the locked numpy 1.26.4" in refused.value.what
    fix = str(refused.value.fix)
    assert fix == (
        "write shapes<=4.0, the last version that runs on numpy 1.26.4; or require numpy>=2.0,"
        " which Triton 25.04 serves"
    )
    followed = requirements("numpy<2", fix.removeprefix("write ").partition(",")[0])
    assert dict(pins(lock_requirements(followed, settings)))["shapes"] == "4.0"


def test_a_package_compiled_for_numpy_1_or_for_none_is_accepted(
    requirements: Write, wheelhouse: Wheelhouse, settings: Settings, slipway_cache: Path
) -> None:
    wheelhouse.numpy()
    wheelhouse.add("shapes", files=binary("1.23"), tag=TAG)
    wheelhouse.add("corners", files={"corners/x.abi3.so": b"\x7fELF"}, tag=TAG)
    lock_requirements(requirements("numpy<2", "shapes", "corners"), settings)


def test_an_installed_binary_for_a_later_numpy_is_refused_by_name(tmp_path: Path) -> None:
    for name, data in binary("2.0").items():
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(bytes(data) if isinstance(data, bytes) else b"")
    owners = dict.fromkeys(binary("2.0"), "shapes")
    where = Path("models/x/requirements.txt")
    with pytest.raises(SlipwayError, match=r"libshapes_python.so.3 of shapes is compiled") as found:
        numpy_api.refuse_compiled_for_later(tmp_path, owners, "1.26.4", requirements=where)
    assert found.value.where == str(where) and found.value.fix
    numpy_api.refuse_compiled_for_later(tmp_path, owners, "2.3.0", requirements=where)


def test_a_real_module_has_the_sentence_that_is_looked_for() -> None:
    """ONNX Runtime's is compiled by headers of numpy 2, for numpy 1.20 and later."""
    import onnxruntime

    folder = Path(onnxruntime.__file__).parent / "capi"
    (module,) = folder.glob("onnxruntime_pybind11_state*.so")
    needed = numpy_api._compiled_for(module.read_bytes())
    assert needed is not None and needed.major == 1
