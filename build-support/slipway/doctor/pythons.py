"""The Pythons of this machine that Slipway and Pants need."""

from __future__ import annotations

import os
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from slipway.doctor.diagnosis import Diagnosis
from slipway.settings import Settings, stub_python

# prints a Python's version, and the shared library that Triton's stub links to
PROBE = (
    "import sys, sysconfig, os; v = sysconfig.get_config_var; n = v('INSTSONAME') or '';"
    "d = [os.path.join(sys.base_prefix, 'lib'), v('LIBDIR') or ''];"
    "p = [os.path.join(x, n) for x in d if n.endswith('.so.1.0')];"
    "print('%d.%d.%d' % sys.version_info[:3]); print(next(filter(os.path.exists, p), ''))"
)


def diagnose_pythons(settings: Settings) -> Iterator[Diagnosis]:
    """Yield each Python of the versions that Slipway and Pants need, and those that are missing."""
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
