"""Libraries that neither the environment nor the serving image has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest

from slipway.environment import build, build_environment, lock_requirements
from slipway.environment.libraries import image
from slipway.environment.libraries.image import ServingImage, serving_image
from slipway.errors import SlipwayError
from slipway.settings import Settings
from tests.environment.elf_writer import shared_library
from tests.environment.wheelhouse import Wheelhouse

EXTENSION = ".cpython-312-x86_64-linux-gnu.so"
GL = shared_library("libGL.so.1", "libc.so.6")
PLAIN = shared_library("libc.so.6")


@pytest.fixture
def built(
    requirements: Callable[..., Path], wheelhouse: Wheelhouse, settings: Settings
) -> Callable[..., None]:
    """Return a function that builds an environment with numpy and a package of given files."""

    def build_one(files: dict[str, str | bytes], *, name: str = "drawing", **more: object) -> None:
        wheelhouse.numpy()
        wheelhouse.add(name, files=files)
        names = ["numpy", name]
        for other, other_files in more.items():
            assert isinstance(other_files, dict)
            wheelhouse.add(other, files=other_files, requires=(name,))
            names.append(other)
        lock = lock_requirements(requirements(*names), settings)
        build_environment(lock, settings)

    return build_one


@pytest.fixture
def older_image(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Return a function that takes libraries and versions away from the serving image."""

    def change(without: str = "", **symbols: str) -> None:
        def smaller(release: str) -> ServingImage:
            whole = serving_image(release)
            return replace(
                whole,
                libraries=whole.libraries - {without},
                symbols=MappingProxyType({**whole.symbols, **symbols}),
            )

        monkeypatch.setattr(build, "serving_image", smaller)

    yield change


def test_a_library_that_the_image_lacks_is_refused_with_package_and_library(
    built: Callable[..., None], settings: Settings
) -> None:
    with pytest.raises(SlipwayError) as refused:
        built({"drawing/__init__.py": "", f"drawing/_canvas{EXTENSION}": GL})
    assert "drawing needs libGL.so.1" in refused.value.what
    assert f"drawing/_canvas{EXTENSION}" in refused.value.what
    assert "image of Triton 25.04 (Ubuntu 24.04)" in refused.value.what
    assert refused.value.where == str(settings.root / "models/model/requirements.txt")


def test_opencv_is_refused_with_the_package_to_take_instead(built: Callable[..., None]) -> None:
    with pytest.raises(SlipwayError) as refused:
        built({"cv2/__init__.py": "", "cv2/cv2.abi3.so": GL}, name="opencv_python")
    assert "write opencv-python-headless instead of opencv-python" in str(refused.value.fix)


def test_opencv_that_another_package_requires_is_replaced_by_an_override(
    built: Callable[..., None],
) -> None:
    with pytest.raises(SlipwayError) as refused:
        built(
            {"cv2/__init__.py": "", "cv2/cv2.abi3.so": GL},
            name="opencv_python",
            ocr={"ocr/__init__.py": ""},
        )
    assert "ocr requires opencv-python" in str(refused.value.fix)


def test_following_the_override_locks_without_the_package(
    requirements: Callable[..., Path], wheelhouse: Wheelhouse, settings: Settings
) -> None:
    wheelhouse.numpy()
    wheelhouse.add("opencv_python_headless")
    wheelhouse.add("ocr", requires=("opencv_python",))
    override = "override-dependencies = [\"opencv-python; sys_platform == 'never'\"]\n"
    (settings.root / "uv.toml").write_text(override)
    lock = lock_requirements(requirements("numpy", "ocr", "opencv-python-headless"), settings)
    assert "opencv-python==" not in lock.read_text()
    build_environment(lock, settings)


def test_a_library_loaded_without_an_import_is_found_as_well(
    built: Callable[..., None], older_image: Callable[..., None]
) -> None:
    """LightGBM loads its only library with ctypes."""
    older_image(without="libgomp.so.1")
    with pytest.raises(SlipwayError, match="boosting needs libgomp.so.1"):
        library = shared_library("libgomp.so.1")
        built({"boosting/__init__.py": "", "boosting/lib/lib_b.so": library}, name="boosting")


def test_a_library_that_the_image_has_is_none_of_the_environments_business(
    built: Callable[..., None],
) -> None:
    library = shared_library("libgomp.so.1", "libstdc++.so.6", "libz.so.1")
    built({"boosting/__init__.py": "", "boosting/lib/lib_b.so": library}, name="boosting")


@pytest.mark.parametrize(
    "files",
    [
        {
            "drawing/__init__.py": "",
            f"drawing/_canvas{EXTENSION}": shared_library(
                "libGL.so.1", run_path="$ORIGIN/../drawing.libs"
            ),
            "drawing.libs/libGL.so.1": PLAIN,
        },
        {
            "drawing/__init__.py": "",
            f"drawing/_canvas{EXTENSION}": GL,
            "drawing-1.0.data/data/lib/libGL.so.1": PLAIN,
        },
        {
            "drawing/__init__.py": "",
            f"drawing/_canvas{EXTENSION}": GL,
            "drawing/lib/gl-1.so": shared_library(soname="libGL.so.1"),
        },
    ],
    ids=["in the wheel's libs", "in the environment's lib", "loaded before it is needed"],
)
def test_a_library_that_the_environment_holds_is_found(
    built: Callable[..., None], files: dict[str, str | bytes]
) -> None:
    built(files)


def test_a_library_of_an_unrelated_package_does_not_help(
    requirements: Callable[..., Path], wheelhouse: Wheelhouse, settings: Settings
) -> None:
    wheelhouse.numpy()
    wheelhouse.add("browser", files={"browser/lib/libGL.so.1": PLAIN})
    wheelhouse.add("drawing", files={"drawing/__init__.py": "", f"drawing/_c{EXTENSION}": GL})
    lock = lock_requirements(requirements("numpy", "browser", "drawing"), settings)
    with pytest.raises(SlipwayError, match="drawing needs libGL.so.1"):
        build_environment(lock, settings)


def test_what_a_bundled_library_needs_counts_too(built: Callable[..., None]) -> None:
    with pytest.raises(SlipwayError, match="drawing needs libX11.so.6 .*libqt-1.so"):
        built(
            {
                "drawing/__init__.py": "",
                f"drawing/_canvas{EXTENSION}": shared_library(
                    "libqt-1.so", run_path="$ORIGIN/../drawing.libs"
                ),
                "drawing.libs/libqt-1.so": shared_library("libX11.so.6"),
            }
        )


def test_an_optional_module_may_lack_its_library(built: Callable[..., None]) -> None:
    """Numba tries TBB and goes on without it."""
    built(
        {
            "fast/__init__.py": "from fast import _core\n",
            f"fast/_core{EXTENSION}": PLAIN,
            "fast/pool.py": "try:\n    from fast.parallel import tbb\nexcept ImportError: pass\n",
            "fast/parallel/__init__.py": "",
            f"fast/parallel/tbb{EXTENSION}": shared_library("libtbb.so.12"),
        },
        name="fast",
    )


def test_a_module_that_importing_the_package_loads_may_not(built: Callable[..., None]) -> None:
    """One of many modules fails, and the package imports it in any case, as VTK does."""
    with pytest.raises(SlipwayError, match="scenes needs libGL.so.1"):
        built(
            {
                "scenes/__init__.py": "from . import everything\n",
                "scenes/everything.py": "from .window import opengl\n",
                f"scenes/_core{EXTENSION}": PLAIN,
                "scenes/window/__init__.py": "",
                f"scenes/window/opengl{EXTENSION}": GL,
            },
            name="scenes",
        )


def test_a_plugin_next_to_a_library_for_other_packages_may_lack_its_own(
    built: Callable[..., None],
) -> None:
    """NVIDIA's cuFile: PyTorch needs the library, and nobody the part for InfiniBand."""
    built(
        {
            "files/lib/libfile.so.0": PLAIN,
            "files/lib/libfile_rdma.so.1": shared_library("libibverbs.so.1", "libfile.so.0"),
        },
        name="files",
        tensors={
            "tensors/__init__.py": "from tensors import _C\n",
            f"tensors/_C{EXTENSION}": shared_library(
                "libfile.so.0", run_path="$ORIGIN/../files/lib"
            ),
        },
    )


def test_cuda_of_the_images_counts_in_its_version() -> None:
    assert "libcublas.so.12" in serving_image("25.04").libraries
    assert "libcublas.so.13" in serving_image("25.09").libraries
    assert "libcublas.so.12" not in serving_image("25.09").libraries


def test_a_newer_glibc_than_the_images_is_refused_for_the_interpreter(
    built: Callable[..., None], older_image: Callable[..., None]
) -> None:
    """The local Python is that of the build machine, which may be newer than the image."""
    older_image(GLIBC="2.3")
    with pytest.raises(SlipwayError) as refused:
        built({"drawing/__init__.py": ""})
    assert "this machine's Python" in refused.value.what
    assert "newer than the glibc of the image of Triton 25.04" in refused.value.what
    assert 'channels = ["conda-forge"]' in str(refused.value.fix)


def test_an_old_release_has_an_older_glibc() -> None:
    assert serving_image("24.10").symbols["GLIBC"] == "2.35"
    assert serving_image("25.04").symbols["GLIBC"] == "2.39"
    with pytest.raises(SlipwayError, match="Triton 22.07"):
        serving_image("22.07")


def test_every_package_of_the_data_file_has_its_libraries() -> None:
    data = image._data()
    listed = {package for entry in data["image"] for package in entry["packages"]}
    assert listed == set(data["packages"])
