"""Start a program in isolation, watch its time and memory, and end it with all that it started."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import slipway
from slipway.errors import SlipwayError
from slipway.formats.sandbox import processes
from slipway.units import format_bytes

POLL_S = 0.05
LAST_BYTES = 20_000  # of what it printed
SECONDS, MEGABYTES = "SLIPWAY_CONVERSION_SECONDS", "SLIPWAY_CONVERSION_MB"
LAUNCHER = "slipway.formats.sandbox.launch"
LIBRARY = str(Path(slipway.__file__).parent.parent)
LOADER_PATH = "LD_LIBRARY_PATH"  # a Python that was moved may need it


@dataclass(frozen=True)
class Limits:
    """What a program may take: ``seconds``, and ``memory`` in bytes with all that it starts."""

    seconds: float = 600.0
    memory: int = 8_000_000_000

    @classmethod
    def of_environment(cls) -> Limits:
        """Return the limits that the user's variables set.

        Raises:
            SlipwayError: one is not a number.
        """
        try:
            seconds = float(os.environ.get(SECONDS) or cls.seconds)
            megabytes = os.environ.get(MEGABYTES)
            return cls(seconds, int(megabytes) * 1_000_000 if megabytes else cls.memory)
        except ValueError as error:
            raise SlipwayError(
                f"{SECONDS} and {MEGABYTES} are numbers: {error}",
                fix=f"unset {SECONDS} {MEGABYTES}",
            ) from error


@dataclass(frozen=True)
class Isolation:
    """By what a program is kept from the network, from files and from other processes; a text that
    begins with "none" says why it is not."""

    network: str
    files: str
    processes: str

    def __str__(self) -> str:
        return f"network: {self.network}; files: {self.files}; processes: {self.processes}"


@dataclass(frozen=True)
class Ended:
    """A program that has ended: its status, the end of what it printed, and what it took."""

    status: int
    text: str
    isolation: Isolation
    seconds: float
    memory: int


def run(
    argv: Sequence[str | Path],
    *,
    what: str,
    work: Path,
    folders: Mapping[str, Path] | None = None,
    readable: Sequence[Path] = (),
    variables: Mapping[str, str] | None = None,
    limits: Limits | None = None,
    loopback: bool = False,
) -> Ended:
    """Run ``argv`` in the folder ``work``, the only one that it can change.

    It can read the system's programs and libraries, ``readable``, and ``folders``, by name:
    ``%name%`` in arguments and variables becomes the place where the program finds that folder.
    Its environment has only ``variables`` and what every program needs. ``what`` names the step
    for the user.

    Raises:
        SlipwayError: it took more than ``limits`` allow.
    """
    limits = limits or Limits.of_environment()
    places = {"work": work.resolve()}
    places |= {name: folder.resolve() for name, folder in (folders or {}).items()}
    program_file = Path(_placed(str(argv[0]), places))
    for name in ("home", "tmp"):
        (work / name).mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="slipway-sandbox-") as outside:
        root, printed = Path(outside, "root").resolve(), Path(outside, "printed")
        root.mkdir()
        reader, writer = os.pipe()
        orders = {
            "root": str(root),
            "folders": {name: str(folder) for name, folder in places.items()},
            "readable": [*map(str, readable), *_python_paths(program_file)],
            "variables": _environment(variables or {}),
            "loopback": loopback,
            "report": writer,
        }
        launcher = [sys.executable, "-P", "-S", "-s", "-m", LAUNCHER, json.dumps(orders)]
        started = time.monotonic()
        with printed.open("wb") as output:
            program = subprocess.Popen(
                [*launcher, *map(str, argv)],
                cwd=work,
                env={"PYTHONPATH": LIBRARY, **_loader_path()},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=[writer],
                start_new_session=True,
                umask=0o077,
            )
        os.close(writer)
        try:
            memory = _watch(program, what, started, limits)
        finally:
            if program.poll() is None:
                processes.kill_descendants(program.pid)
                program.kill()
                program.wait()
        with os.fdopen(reader, encoding="utf-8") as stream:
            report = stream.read()
        text = _end_of(printed)
    if not report:
        raise SlipwayError(f"{what}: the process could not be isolated\n  {text}")
    isolation = Isolation(**json.loads(report))
    return Ended(program.returncode, text, isolation, time.monotonic() - started, memory)


def _watch(program: subprocess.Popen[bytes], what: str, started: float, limits: Limits) -> int:
    """Wait for the end; return the most bytes of memory that were seen."""
    most = 0
    while True:
        try:
            program.wait(POLL_S)
            return most
        except subprocess.TimeoutExpired:
            most = max(most, processes.memory(program.pid))
        if most > limits.memory:
            raise SlipwayError(
                f"{what} took more than {format_bytes(limits.memory)} of memory, and was ended",
                fix=f"allow more, in megabytes: {MEGABYTES}={2 * limits.memory // 1_000_000}",
            )
        if time.monotonic() - started > limits.seconds:
            raise SlipwayError(
                f"{what} took more than {limits.seconds:g} s, and was ended",
                fix=f"allow more, in seconds: {SECONDS}={2 * limits.seconds:g}",
            )


def _environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Return a fixed environment: no credentials, and nothing that differs between machines."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": "%work%/home",
        "TMPDIR": "%work%/tmp",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "SOURCE_DATE_EPOCH": "315532800",
        "CUDA_VISIBLE_DEVICES": "",
        **_loader_path(),
        **variables,
    }


def _placed(text: str, places: Mapping[str, Path]) -> str:
    for name, place in places.items():
        text = text.replace(f"%{name}%", str(place))
    return text


def _python_paths(program: Path) -> list[str]:
    """Return the links from a Python to the one that it is, and that one's folder."""
    paths = [str(program)]
    while program.is_symlink():
        program = program.parent / program.readlink()
        paths.append(str(program))
    libraries = _loader_path().get(LOADER_PATH, "").split(":")
    return [sys.base_prefix, *paths, *filter(None, libraries)]


def _loader_path() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name == LOADER_PATH}


def _end_of(printed: Path) -> str:
    with printed.open("rb") as file:
        file.seek(max(0, printed.stat().st_size - LAST_BYTES))
        return file.read().decode("utf-8", "replace").strip()
