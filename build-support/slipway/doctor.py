"""Diagnose this machine and this repository: what is available, what is missing, how to fix it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from slipway import remote_cache
from slipway.environment import interpreter
from slipway.environment.tools import cached_tools
from slipway.errors import SlipwayError
from slipway.formats.readiness import cached_environments, find_isolation
from slipway.formats.sandbox.run import Isolation
from slipway.model.weights import Weights
from slipway.release.store_check import check_store
from slipway.server import source
from slipway.server.command import has_gpu
from slipway.settings import RemoteSettings, Settings, stub_python
from slipway.settings.release import STAGES
from slipway.settings.remote import EXECUTION, VARIABLES
from slipway.triton import numpy_support
from slipway.triton.standins import STANDINS, stand_in

ISOLATION = "allow users namespaces: docs/installation.md#isolation-of-conversions"
State = Literal["ok", "note", "missing"]
# prints a Python's version, and the shared library that Triton's stub links to
PROBE = (
    "import sys, sysconfig, os; v = sysconfig.get_config_var; n = v('INSTSONAME') or '';"
    "d = [os.path.join(sys.base_prefix, 'lib'), v('LIBDIR') or ''];"
    "p = [os.path.join(x, n) for x in d if n.endswith('.so.1.0')];"
    "print('%d.%d.%d' % sys.version_info[:3]); print(next(filter(os.path.exists, p), ''))"
)


@dataclass(frozen=True)
class Diagnosis:
    """The state of one ``subject``; only ``missing`` is an obstacle, with a ``fix``."""

    subject: str
    state: State
    what: str
    fix: str | None = None


def examine(settings: Settings) -> Iterator[Diagnosis]:
    """Yield a diagnosis of each tool and service that Slipway uses, local ones first."""
    yield Diagnosis("settings", "ok", str(settings.root / "slipway.toml"))
    yield from _pythons(settings)
    yield from _triton(settings)
    yield diagnose_tensors(settings)
    yield _docker()
    yield (
        Diagnosis("GPU", "ok", "an NVIDIA device")
        if has_gpu()
        else Diagnosis("GPU", "note", "none: tests use KIND_CPU for KIND_GPU, in a copy")
    )
    yield _channels(settings)
    yield from diagnose_conversions(find_isolation, *cached_environments())
    yield from _remotes(settings)
    yield from diagnose_remote_cache(settings.remote)
    yield from examine_stores(settings)
    for name in settings.endpoints:
        yield Diagnosis("endpoint", "ok", name)
    if not settings.endpoints:
        yield Diagnosis(
            "endpoint", "note", "none in slipway.toml: `slipway endpoint up` serves the store here"
        )


def _pythons(settings: Settings) -> Iterator[Diagnosis]:
    required_by = {settings.python: "Slipway and its environments", "3.9": "Pants"}
    satisfied: set[str] = set()
    for program in _python_programs(sorted(required_by)):
        answer = _probe(program)
        if answer is None:
            continue
        version, library = answer
        minor = version.rpartition(".")[0]
        shared = "with" if library else "without"
        enough = bool(library) or minor != settings.python
        yield Diagnosis(
            f"Python {minor}",
            "ok" if enough else "note",
            f"{version}, {shared} libpython: {program}",
        )
        if enough:
            satisfied.add(minor)
    for minor, user in required_by.items():
        if minor not in satisfied:
            what = "none with a shared libpython" if minor == settings.python else "none"
            yield Diagnosis(
                f"Python {minor}",
                "missing",
                f"{what}; {user} needs it",
                f"uv python install {minor}; docs/installation.md has other ways",
            )
    stub = stub_python(settings.triton_release)
    if stub != settings.python:
        yield Diagnosis(
            "Python",
            "missing",
            f"the stub of Triton {settings.triton_release} runs {stub}, not {settings.python}",
            f'python = "{stub}" in slipway.toml, or another release',
        )


def _python_programs(minors: list[str]) -> Iterator[Path]:
    """Yield every Python of these minor versions: this one, pyenv's, uv's, those on PATH."""
    home = Path.home()
    pyenv = Path(os.environ.get("PYENV_ROOT") or home / ".pyenv") / "versions"
    managed = home / ".local" / "share" / "uv" / "python"
    seen: set[Path] = set()
    for minor in minors:
        name = f"python{minor}"
        candidates = [Path(sysconfig.get_config_var("BINDIR")) / name]
        candidates += sorted(pyenv.glob(f"{minor}.*/bin/{name}"))
        candidates += sorted(managed.glob(f"*/bin/{name}"))
        candidates += [Path(folder) / name for folder in os.get_exec_path()]
        for program in candidates:
            if program.is_file() and program.resolve() not in seen and "shims" not in program.parts:
                seen.add(program.resolve())
                yield program


def _probe(program: Path) -> tuple[str, str] | None:
    try:
        done = subprocess.run(
            [program, "-I", "-S", "-c", PROBE],
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None  # a shim, or a Python that does not run
    version, library = done.stdout.split("\n")[:2]
    return version, library


def _triton(settings: Settings) -> Iterator[Diagnosis]:
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


def _docker() -> Diagnosis:
    program = shutil.which("docker")
    if program is None:
        return Diagnosis("Docker", "note", "none; not needed")
    try:
        subprocess.run([program, "version"], capture_output=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return Diagnosis("Docker", "note", "a client without a running engine; not needed")
    return Diagnosis("Docker", "ok", program)


def diagnose_conversions(
    isolate: Callable[[], Isolation], cached: tuple[str, ...], absent: tuple[str, ...]
) -> Iterator[Diagnosis]:
    """Yield what keeps a framework's code from this machine, and which frameworks are here."""
    try:
        isolation = isolate()
    except SlipwayError as error:
        yield Diagnosis("conversion", "missing", error.what, error.fix or ISOLATION)
    else:
        lacks = any(text.startswith("none") for text in vars(isolation).values())
        state: State = "note" if lacks else "ok"
        yield Diagnosis("conversion", state, str(isolation), ISOLATION if lacks else None)
    here, missing = ", ".join(cached) or "none", ", ".join(absent)
    installed = f"; at their first use: {missing}" if missing else ""
    yield Diagnosis("conversion", "ok", f"environments in the cache: {here}{installed}")


def _channels(settings: Settings) -> Diagnosis:
    channels = ", ".join(settings.channels) or "no channel"
    try:
        chosen = interpreter.choose_interpreter(settings, settings.platform)
    except SlipwayError as error:
        return Diagnosis("channels", "missing", f"{channels}: {error.what}", error.fix)
    if chosen.local:
        return Diagnosis(
            "channels", "note", f"{channels}: not reached; this machine's CPython serves"
        )
    return Diagnosis("channels", "ok", channels)


def examine_stores(settings: Settings) -> Iterator[Diagnosis]:
    """Yield a diagnosis of each stage's release store; S3 servers are asked."""
    for stage in STAGES:
        check = check_store(settings, stage)
        origin = f" ({check.variable})" if check.variable else ""
        name = f"{stage}: {check.location}{origin}"
        if check.problem is not None:
            yield Diagnosis("release store", "missing", f"{name}: {check.problem}", check.fix)
        elif check.note is not None:
            yield Diagnosis("release store", "note", f"{name}: {check.note}", check.fix)
        else:
            yield Diagnosis("release store", "ok", name)


def diagnose_remote_cache(remote: RemoteSettings) -> Iterator[Diagnosis]:
    """Yield what the remote cache and the remote execution answer; nothing where there is none.

    A cache that does not answer is no obstacle: builds work without it.
    """
    for subject, address in (("remote cache", remote.cache), ("remote workers", remote.execution)):
        if address is None:
            continue
        try:
            server = remote_cache.ask(remote, address)
        except SlipwayError as error:
            yield Diagnosis(subject, "note", error.what, error.fix)
            continue
        state: State = "ok"
        fix = None
        if subject == "remote workers":
            what = "runs steps"
            if not server.executes:
                state, what = "note", "runs no steps"
                fix = f"{EXECUTION} = the address of workers, or {VARIABLES[EXECUTION]}=off"
        elif not server.reads:
            state, what = "note", "answers, but this machine may not read"
            fix = f"the file of a token that can read: {remote.token_setting}"
        elif server.writes and not remote.writes:
            state, what = "note", "lets this machine write without a write token"
            fix = "a token that can only read; docs/remote-cache.md#who-may-write"
        else:
            what = "reads and writes" if server.writes else "reads"
        yield Diagnosis(subject, state, f"{address.url}: {what}", fix)


def _remotes(settings: Settings) -> Iterator[Diagnosis]:
    try:
        for name, url, reached in Weights(settings.root).remotes():
            state: State = "ok" if reached else "missing"
            fix = None if reached else "check its url, the network and your credentials"
            yield Diagnosis("DVC remote", state, f"{name}: {url}", fix)
    except SlipwayError as error:
        yield Diagnosis("DVC remote", "missing", error.what, error.fix)
