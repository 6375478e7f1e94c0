"""The Triton that serves models here, and what it can serve."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator

from slipway.doctor.diagnosis import Diagnosis
from slipway.environment.tools import cached_tools
from slipway.server import source
from slipway.settings import Settings
from slipway.triton.image import numpy_support
from slipway.triton.standins import STANDINS, stand_in


def diagnose_triton(settings: Settings) -> Iterator[Diagnosis]:
    """Yield each Triton of this machine, the one that is used first, and what that one serves."""
    candidates = list(source.candidates(settings))
    for position, candidate in enumerate(candidates):
        used = "used" if position == 0 else "not used"
        yield Diagnosis("Triton", "ok", f"{candidate}; {used}")
    if not candidates:
        yield Diagnosis("Triton", "missing", "none", "install the library with its requirements")
        return
    yield diagnose_numpy(candidates[0], settings)
    yield from diagnose_stand_ins(candidates[0], settings)
    release = candidates[0].release
    if release not in (settings.test_release, source.UNKNOWN):
        yield Diagnosis(
            "Triton",
            "note",
            f"test_release is {settings.test_release} in slipway.toml, and here is {release}",
            f'test_release = "{release}"',
        )


def diagnose_tensors(settings: Settings) -> Diagnosis:
    """Return whether configs have to list their tensors."""
    if settings.explicit_tensors:
        what = "configs list their tensors; servers start with auto-complete off"
    else:
        what = "configs may leave out tensors (explicit_tensors = false): servers complete them"
    return Diagnosis("tensors", "ok", what)


def diagnose_stand_ins(server: source.Source, settings: Settings) -> Iterator[Diagnosis]:
    """Yield what serves the models of backends that the wheel's server lacks."""
    if server.kind != "wheel":
        return
    for name in sorted(STANDINS):
        each = stand_in(name, settings.triton_release)
        there = cached_tools(each.lock).folder.is_dir()
        when = "installed" if there else "installed when a model first needs it"
        yield Diagnosis("backend", "ok", f"{each}; {when}")
    yield Diagnosis(
        "backend",
        "note",
        "tensorrt, dali: none; such models are checked, and tested on a machine with a GPU",
    )


def diagnose_numpy(server: source.Source, settings: Settings) -> Diagnosis:
    """Return which numpy the models' environments may have."""
    newest = numpy_support.TESTED_VERSIONS[-1]
    if settings.triton_release < numpy_support.FIRST_WITH_NUMPY_2:
        what = f"1 only: Triton {settings.triton_release} serves in production"
        return Diagnosis("numpy", "ok", what)
    if server.release >= numpy_support.FIRST_WITH_NUMPY_2:
        return Diagnosis("numpy", "ok", "1 and 2")
    if server.kind == "wheel" and server.release == numpy_support.ADAPTED:
        what = f"1, and 2 up to {newest}: Slipway adapts the wheel's Python stub to numpy 2"
        return Diagnosis("numpy", "ok", what)
    return Diagnosis(
        "numpy",
        "note",
        f"1 only: models with numpy 2 cannot be tested on Triton {server.release}",
        f"use the {source.WHEEL} wheel, or a Triton of {numpy_support.FIRST_WITH_NUMPY_2} or later",
    )


def diagnose_docker() -> Diagnosis:
    """Return whether a Docker engine runs here."""
    program = shutil.which("docker")
    if program is None:
        return Diagnosis("Docker", "note", "none; not needed")
    try:
        subprocess.run([program, "version"], capture_output=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return Diagnosis("Docker", "note", "a client without a running engine; not needed")
    return Diagnosis("Docker", "ok", program)
