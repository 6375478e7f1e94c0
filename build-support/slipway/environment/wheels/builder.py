"""Build a pure-Python project to a wheel: its code runs in a process of its own, offline."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import parse_wheel_filename

from slipway import process
from slipway.environment.packages import run_uv
from slipway.environment.wheels.canonical import write_canonical
from slipway.errors import SlipwayError
from slipway.settings import Settings

EPOCH = "315532800"  # 1980-01-01: the first time that a wheel can hold
EVERYWHERE_LEFT_OUT = (".git", "__pycache__", "*.pyc")
# what builders leave at the root of a checkout, and take into the next wheel
LEFTOVERS = ("build", "dist", "*.egg-info", "src/*.egg-info", ".venv")
SOURCE_DISTRIBUTION = "PKG-INFO"  # at its root; such a folder is taken as it is


@dataclass(frozen=True)
class Project:
    """A folder with ``pyproject.toml`` or ``setup.py``.

    ``name`` stands in messages, ``where`` is the file that asks for it. ``build_requirements`` are
    pins with hashes, as ``lock_build_requirements`` returns them.
    """

    folder: Path
    name: str
    where: Path
    build_requirements: tuple[str, ...] = ()


def lock_build_requirements(project: Project, settings: Settings) -> tuple[str, ...]:
    """Return the pins, with hashes, of what builds a project: one ``name==1.0 --hash=…`` each.

    Asks the project's backend for more than its ``pyproject.toml`` lists, in an environment that
    has what that lists.

    Raises:
        SlipwayError: they cannot be met by wheels, or the backend fails.
    """
    from build import ProjectBuilder

    with tempfile.TemporaryDirectory(prefix="slipway-build-") as work:
        folder = _copy(project, Path(work))
        with _quoted(project):
            declared = ProjectBuilder(folder).build_system_requires
        pins = _pin(declared, project, settings, Path(work))
        python = _environment(pins, project, settings, Path(work, "venv"))
        with _quoted(project):
            backend = ProjectBuilder(folder, str(python), runner=_run_offline)
            dynamic = backend.get_requires_for_build("wheel")
        return _pin(declared | dynamic, project, settings, Path(work)) if dynamic else pins


def build_wheel(project: Project, settings: Settings, output: Path) -> Path:
    """Build a project into the folder ``output``, with its pinned build requirements.

    Equal files and build requirements give equal bytes, on every machine: times, owners, modes,
    orders and compression are fixed, and the folder is copied to a place of its own.

    Raises:
        SlipwayError: the backend fails, or the wheel is not of pure Python.
    """
    from build import ProjectBuilder

    with tempfile.TemporaryDirectory(prefix="slipway-build-") as work:
        folder = _copy(project, Path(work))
        python = _environment(project.build_requirements, project, settings, Path(work, "venv"))
        with _quoted(project):
            backend = ProjectBuilder(folder, str(python), runner=_run_offline)
            built = Path(backend.build("wheel", str(Path(work, "wheel"))))
        _refuse_machine_code(built, project)
        output.mkdir(parents=True, exist_ok=True)
        target = output / built.name
        write_canonical(built, target)
    return target


def _copy(project: Project, work: Path) -> Path:
    folder = work / "source"
    shutil.copytree(project.folder, folder, ignore=shutil.ignore_patterns(*EVERYWHERE_LEFT_OUT))
    if not (folder / SOURCE_DISTRIBUTION).is_file():
        for leftover in (path for pattern in LEFTOVERS for path in folder.glob(pattern)):
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
    for path in [folder, *folder.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
            os.utime(path, (int(EPOCH), int(EPOCH)))
    return folder


def _pin(
    requirements: Iterable[str], project: Project, settings: Settings, work: Path
) -> tuple[str, ...]:
    """Return the pins of ``requirements`` and of what they require, for the running Python."""
    source, target = work / "build-requirements.in", work / "build-requirements.txt"
    source.write_text("".join(f"{line}\n" for line in sorted(requirements)), encoding="utf-8")
    argv: list[str | Path] = [
        *("pip", "compile", "--quiet", "--generate-hashes", "--no-header", "--no-annotate"),
        *("--no-emit-index-url", "--no-emit-find-links", "--only-binary", ":all:"),
        *("--python", sys.executable, "--output-file", target, source),
    ]
    try:
        run_uv(argv, settings, what=f"locking what builds {project.name}")
    except SlipwayError as error:
        raise SlipwayError(
            error.what,
            where=str(project.where),
            fix=f"choose a version of {project.name} that is built with published wheels",
        ) from error
    text = target.read_text(encoding="utf-8").replace("\\\n", "")
    return tuple(" ".join(line.split()) for line in text.splitlines() if line.strip())


def _environment(pins: Sequence[str], project: Project, settings: Settings, folder: Path) -> Path:
    """Make an environment that has exactly ``pins``; return its Python."""
    what = f"installing what builds {project.name}"
    run_uv(["venv", "--quiet", "--python", sys.executable, folder], settings, what=what)
    python = folder / "bin/python"
    lock = folder / "requirements.txt"
    lock.write_text("".join(f"{pin}\n" for pin in pins), encoding="utf-8")
    argv: list[str | Path] = [
        *("pip", "install", "--quiet", "--python", python, "--require-hashes", "--no-deps"),
        *("--only-binary", ":all:", "-r", lock),
    ]
    if pins:
        run_uv(argv, settings, what=what)
    return python


def _run_offline(
    cmd: Sequence[str], cwd: str | None = None, extra_environ: Mapping[str, str] | None = None
) -> None:
    """Run a backend's hook without the network, where namespaces exist, and without our variables.

    Raises:
        subprocess.CalledProcessError: it failed; ``output`` holds what it wrote.
    """
    # fixed: what would otherwise differ between machines, and end up in the wheel
    environment = {
        "PATH": f"{Path(cmd[0]).parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(Path(cmd[0]).parent),
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "SOURCE_DATE_EPOCH": EPOCH,
        **{k: v for k, v in os.environ.items() if k in ("LD_LIBRARY_PATH", "TMPDIR")},
        **(extra_environ or {}),
    }
    subprocess.run(
        [*_without_network(), *cmd],
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=True,
        umask=0o022,
    )


@functools.cache
def _without_network() -> tuple[str, ...]:
    """Return the command that starts another one in an empty network namespace; empty if none."""
    command = ("unshare", "--map-root-user", "--net")
    try:
        process.run([*command, "true"], what="looking for network namespaces")
    except SlipwayError:
        return ()
    return command


@contextlib.contextmanager
def _quoted(project: Project) -> Iterator[None]:
    """Translate a failing backend into an error that shows the last lines of what it wrote."""
    from build import BuildBackendException, BuildException

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about code of other projects
            yield
    except (BuildBackendException, BuildException) as error:
        output = getattr(getattr(error, "exception", None), "output", None) or b""
        lines = output.decode("utf-8", "replace").strip().splitlines()[-process.LAST_LINES :]
        raise SlipwayError(
            "\n  ".join([f"{project.name} cannot be built: {error}", *lines]),
            where=str(project.where),
            fix=f"choose a version of {project.name} that is published as a wheel, or build it"
            " into an index of your own",
        ) from error


def _refuse_machine_code(wheel: Path, project: Project) -> None:
    tags = {str(tag) for tag in parse_wheel_filename(wheel.name)[3]}
    if all(tag.endswith("-none-any") for tag in tags):
        return
    raise SlipwayError(
        f"{project.name} is not of pure Python: its wheel is for {', '.join(sorted(tags))}",
        where=str(project.where),
        fix=f"build {project.name} for the serving platform into an index of your own"
        " (docs/environments.md)",
    )
