"""What this machine and this repository have, and what is missing, with its fix."""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from slipway.environment import interpreter
from slipway.errors import SlipwayError
from slipway.model.weights import Weights
from slipway.server import source
from slipway.server.command import has_gpu
from slipway.settings import Settings, stub_python

State = Literal["ok", "note", "missing"]
# printed by each Python asked: its version, and the shared library that Triton's stub links to
ASK = (
    "import sys, sysconfig, os; v = sysconfig.get_config_var; n = v('INSTSONAME') or '';"
    "d = [os.path.join(sys.base_prefix, 'lib'), v('LIBDIR') or ''];"
    "p = [os.path.join(x, n) for x in d if n.endswith('.so.1.0')];"
    "print('%d.%d.%d' % sys.version_info[:3]); print(next(filter(os.path.exists, p), ''))"
)


@dataclass(frozen=True)
class Finding:
    """One thing looked for. ``note`` is no obstacle; ``missing`` is, and has a ``fix``."""

    subject: str
    state: State
    what: str
    fix: str | None = None


def examine(settings: Settings) -> Iterator[Finding]:
    """Look at everything that Slipway uses, nearest first."""
    yield Finding("settings", "ok", str(settings.root / "slipway.toml"))
    yield from _pythons(settings)
    yield from _triton(settings)
    yield _docker()
    yield (
        Finding("GPU", "ok", "an NVIDIA device")
        if has_gpu()
        else Finding("GPU", "note", "none: tests lower KIND_GPU to the CPU, in their copy only")
    )
    yield _channels(settings)
    yield from _remotes(settings)
    yield Finding("release store", "ok", settings.store)
    for name in settings.endpoints:
        yield Finding("endpoint", "ok", name)
    if not settings.endpoints:
        yield Finding(
            "endpoint", "note", "none in slipway.toml: `slipway endpoint up` serves the store here"
        )


def _pythons(settings: Settings) -> Iterator[Finding]:
    needed = {settings.python: "Slipway and its environments", "3.9": "Pants"}
    met: set[str] = set()
    for program in _python_programs(sorted(needed)):
        answer = _asked(program)
        if answer is None:
            continue
        version, library = answer
        minor = version.rpartition(".")[0]
        shared = "with" if library else "without"
        enough = bool(library) or minor != settings.python
        yield Finding(
            f"Python {minor}",
            "ok" if enough else "note",
            f"{version}, {shared} libpython: {program}",
        )
        if enough:
            met.add(minor)
    for minor, user in needed.items():
        if minor not in met:
            what = "none that has a shared libpython" if minor == settings.python else "none"
            yield Finding(
                f"Python {minor}",
                "missing",
                f"{what}; {user} needs it",
                f"uv python install {minor}, or pyenv install {minor} with --enable-shared",
            )
    wanted = stub_python(settings.triton_release)
    if wanted != settings.python:
        yield Finding(
            "Python",
            "missing",
            f"the stub of Triton {settings.triton_release} runs {wanted}, not {settings.python}",
            f'python = "{wanted}" in slipway.toml, or another release',
        )


def _python_programs(minors: list[str]) -> Iterator[Path]:
    """Every Python of these minor versions: this one, pyenv's, uv's, those on PATH."""
    home = Path.home()
    pyenv = Path(os.environ.get("PYENV_ROOT") or home / ".pyenv") / "versions"
    managed = home / ".local" / "share" / "uv" / "python"
    seen: set[Path] = set()
    for minor in minors:
        name = f"python{minor}"
        found = [Path(sysconfig.get_config_var("BINDIR")) / name]
        found += sorted(pyenv.glob(f"{minor}.*/bin/{name}"))
        found += sorted(managed.glob(f"*/bin/{name}"))
        found += [Path(folder) / name for folder in os.get_exec_path()]
        for program in found:
            if program.is_file() and program.resolve() not in seen and "shims" not in program.parts:
                seen.add(program.resolve())
                yield program


def _asked(program: Path) -> tuple[str, str] | None:
    try:
        done = subprocess.run(
            [program, "-I", "-S", "-c", ASK], capture_output=True, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None  # a shim, or one that does not run
    version, library = done.stdout.split("\n")[:2]
    return version, library


def _triton(settings: Settings) -> Iterator[Finding]:
    found = list(source.candidates(settings))
    for place, candidate in enumerate(found):
        used = "used" if place == 0 else "not used"
        yield Finding("Triton", "ok", f"{candidate}; {used}")
    if not found:
        yield Finding("Triton", "missing", "none", "install the library with its requirements")
    elif found[0].release not in (settings.test_release, source.UNKNOWN):
        yield Finding(
            "Triton",
            "note",
            f"slipway.toml says test_release {settings.test_release}, here is {found[0].release}",
            f'test_release = "{found[0].release}"',
        )


def _docker() -> Finding:
    program = shutil.which("docker")
    if program is None:
        return Finding("Docker", "note", "none; not needed")
    try:
        subprocess.run([program, "version"], capture_output=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return Finding("Docker", "note", "a client, but no engine answers; not needed")
    return Finding("Docker", "ok", program)


def _channels(settings: Settings) -> Finding:
    named = ", ".join(settings.channels) or "no channel"
    try:
        chosen = interpreter.choose_interpreter(settings, settings.platform)
    except SlipwayError as error:
        return Finding("channels", "missing", f"{named}: {error.what}", error.fix)
    if chosen.local:
        return Finding("channels", "note", f"{named}: not reached; this machine's CPython serves")
    return Finding("channels", "ok", named)


def _remotes(settings: Settings) -> Iterator[Finding]:
    try:
        for name, place, reached in Weights(settings.root).remotes():
            state: State = "ok" if reached else "missing"
            fix = None if reached else "check its url, the network and your credentials"
            yield Finding("DVC remote", state, f"{name}: {place}", fix)
    except SlipwayError as error:
        yield Finding("DVC remote", "missing", error.what, error.fix)
