"""Which versions of numpy the Python backend of a Triton release works with."""

from __future__ import annotations

from packaging.specifiers import SpecifierSet
from packaging.version import Version

# the first release whose stub is compiled with pybind11 2.12, which knows numpy 2
# (github.com/triton-inference-server/python_backend, CMakeLists.txt of the branches r24.10, r24.11)
FIRST_WITH_NUMPY_2 = "24.11"
# the release whose stub, as the wheel has it, is adapted by server/python_backend/numpy_2.py
ADAPTED = "24.10"
# begins the line that a model's process prints once its stub is adapted, before numpy's version
MESSAGE = "slipway: the Python stub is adapted to numpy"
# with which the adapted stub was tested: every release of numpy 2 for Python 3.12 up to the last;
# `python -m tests.server.numpy_2` runs the tests with one
TESTED_VERSIONS = (
    *("2.0.0", "2.0.1", "2.0.2"),
    *("2.1.0", "2.1.1", "2.1.2", "2.1.3"),
    *("2.2.0", "2.2.1", "2.2.2", "2.2.3", "2.2.4", "2.2.5", "2.2.6"),
    *("2.3.0", "2.3.1", "2.3.2", "2.3.3", "2.3.4", "2.3.5"),
    *("2.4.1", "2.4.2", "2.4.3", "2.4.4", "2.4.5", "2.4.6"),
    *("2.5.0", "2.5.1", "2.5.2", "2.5.3", "2.5.4", "2.5.5"),
)


def is_supported(version: str, release: str, *, local: bool = False) -> bool:
    """Return whether the Python backend of ``release`` works with a version of numpy.

    ``local`` says that it is the local server's, which is adapted.
    """
    if Version(version).major < 2 or release >= FIRST_WITH_NUMPY_2:
        return True
    return local and release == ADAPTED and version in TESTED_VERSIONS


def limit(version: str, serving: str, testing: str) -> str | None:
    """Return a specifier that excludes ``version`` of numpy if two releases do not work with it.

    ``serving`` is the release that serves in production, ``testing`` the local server's. The
    specifier, such as ``<2``, allows only versions that both work with; None if ``version`` is one.
    """
    if is_supported(version, serving) and is_supported(version, testing, local=True):
        return None
    if serving < FIRST_WITH_NUMPY_2 or testing != ADAPTED:
        return "<2"
    newest = f"<={TESTED_VERSIONS[-1]}"
    return newest if version not in SpecifierSet(newest) else f"{newest},!={version}"


def reason(version: str, serving: str, testing: str) -> str:
    """Return why one of the two releases does not work with ``version`` of numpy."""
    for release, local in ((serving, False), (testing, True)):
        if not is_supported(version, release, local=local) and (release != ADAPTED or not local):
            return f"the Python stub of Triton {release} returns empty tensors with numpy 2"
    return (
        f"the local server, Triton {testing}, was tested with numpy 1, and with numpy 2 up to"
        f" {TESTED_VERSIONS[-1]}"
    )
