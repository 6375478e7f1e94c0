"""The library's steps as processes, whose cache keys are the same on every machine.

A key holds what a step reads and the interpreter that runs it. Where the home folder, the checkout
and the interpreter lie, and the way to the package index, are in a file of this machine next to
Pants' caches: the folder of a named cache is in no key. So machines may share results.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pants.backend.python.subsystems.setup import PythonSetup
from pants.backend.python.util_rules.interpreter_constraints import InterpreterConstraints
from pants.backend.python.util_rules.pex_environment import PexEnvironment, PythonExecutable
from pants.base.build_root import BuildRoot
from pants.engine.env_vars import EnvironmentVars, EnvironmentVarsRequest
from pants.engine.fs import (
    CreateDigest,
    Digest,
    DigestSubset,
    FileContent,
    MergeDigests,
    PathGlobs,
    RemovePrefix,
)
from pants.engine.internals.session import RunId
from pants.engine.process import FallibleProcessResult, Process, ProcessCacheScope, ProcessResult
from pants.engine.rules import Get, MultiGet, Rule, collect_rules, rule
from pants.engine.unions import UnionRule
from pants.option.global_options import NamedCachesDirOption
from pants.util.frozendict import FrozenDict

from slipway_pants.requests import Library, Part, SlipwaySubsystem, Step

HERE = ".slipway-machine"  # in a sandbox, the folder of what is this machine's
START = "slipway-step.sh"
# the name of a named cache has no digits
ONLY_LETTERS = str.maketrans("0123456789", "ghijklmnop")
SCRIPT = f"""\
if [ -f {HERE}/environment ]; then
  . ./{HERE}/environment
  # as Pants' own scripts do: named caches may be removed at any time
  [ -e "$SLIPWAY_VENV/pex" ] || PEX_INTERPRETER=1 "$SLIPWAY_PEX_PYTHON" slipway.pex -c ''
  exec "$SLIPWAY_VENV/pex" -m slipway "$@"
fi
# a worker of a remote execution: its own interpreter of the version that the key names
export PATH="${{PATH:-/usr/local/bin:/usr/bin:/bin}}"
if ! "$SLIPWAY_PYTHON" -c '' 2>/dev/null; then
  echo "error: this worker has no $SLIPWAY_PYTHON on its PATH, $PATH" >&2
  echo "fix: install it there, or build here with SLIPWAY_REMOTE_EXECUTION=off" >&2
  exit 1
fi
exec "$SLIPWAY_PYTHON" slipway.pex -m slipway "$@"
"""


@dataclass(frozen=True)
class Interpreter:
    """The Python that runs the steps: where it is here, and what it is anywhere."""

    executable: PythonExecutable
    identity: str
    name: str  # as on a PATH, such as "python3.12"


@dataclass(frozen=True)
class Machine:
    """The named cache with the file `environment`, which a step's process reads."""

    caches: FrozenDict[str, str]


@rule
async def identify_interpreter(
    _: RunId,  # again in every run, should it have been replaced
    slipway: SlipwaySubsystem,
    python_setup: PythonSetup,
) -> Interpreter:
    constraints = InterpreterConstraints(
        python_setup.resolves_to_interpreter_constraints.get(
            slipway.resolve, python_setup.interpreter_constraints
        )
    )
    python = await Get(PythonExecutable, InterpreterConstraints, constraints)
    # with a shared libpython the program itself may be the same in two versions
    version = await Get(
        ProcessResult,
        Process(
            (python.path, "-IS", "-c", "import sys; print(sys.version)"),
            description=f"Ask {python.path} for its version",
            append_only_caches=python.append_only_caches,
            env={"SLIPWAY_INSTALLED": describe_installation(python.path)},
            # asking again in every run would take each of them a tenth of a second
            cache_scope=ProcessCacheScope.PER_RESTART_SUCCESSFUL,
        ),
    )
    number = version.stdout.decode()  # such as "3.12.1 (main, …) [GCC …]"
    identity = hashlib.sha256(f"{python.fingerprint} {number}".encode()).hexdigest()
    return Interpreter(python, identity, f"python{'.'.join(number.split('.')[:2])}")


def describe_installation(python: str) -> str:
    """Return a digest that changes when the interpreter at `python` is replaced by another.

    It is of the times and sizes of the program, of a shared libpython, and of the folder of the
    standard library, into which an installer writes.
    """
    program = Path(python).resolve()
    globs = ("lib*/libpython3*", "lib/*/libpython3*", "lib*/python3.*")
    prefix = program.parent.parent
    found = sorted({program, *(path for glob in globs for path in prefix.glob(glob))})
    lines = []
    for path in found:
        with contextlib.suppress(OSError):  # a link may lead nowhere
            stat = path.stat()
            lines.append(f"{path} {stat.st_size} {stat.st_mtime_ns} {stat.st_ino}")
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


@rule
async def note_machine(
    _: RunId,  # again in every run, should the file have been removed with Pants' caches
    library: Library,
    interpreter: Interpreter,
    pex_environment: PexEnvironment,
    named_caches: NamedCachesDirOption,
    root: BuildRoot,
) -> Machine:
    home = await Get(EnvironmentVars, EnvironmentVarsRequest(["HOME"]))
    here = pex_environment.in_sandbox(working_directory=None)
    variables = {
        **here.environment_dict(python=interpreter.executable),
        **home,
        "SLIPWAY_DVC_ROOT": root.path,
        "SLIPWAY_PEX_PYTHON": pex_environment.bootstrap_python.path,
        "SLIPWAY_VENV": f"{here.pex_root}/{library.python.venv_rel_dir}",
    }
    name = write_environment(Path(str(named_caches.val)), variables)
    return Machine(FrozenDict({**here.append_only_caches, name: HERE}))


def write_environment(named_caches: Path, variables: Mapping[str, str]) -> str:
    """Write `variables` to the file `environment` of a named cache, and return the cache's name.

    It is named by its content, so that no process ever reads it while it changes. The way to a
    package index may hold a password: only this user may read it.
    """
    text = "".join(f"export {key}={shlex.quote(value)}\n" for key, value in variables.items())
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    name = f"slipway_{digest.translate(ONLY_LETTERS)}"
    file = named_caches / name / "environment"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = file.with_name(f".environment-{os.getpid()}")
        with open(os.open(temporary, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as new:
            new.write(text)
        temporary.replace(file)
    return name


@rule
async def step_process(
    step: Step, library: Library, machine: Machine, interpreter: Interpreter
) -> Process:
    # Pants' own scripts of the library's environment name this machine's interpreter
    pex, start, sources = await MultiGet(
        Get(Digest, DigestSubset(library.python.digest, PathGlobs(["**", "!*_shim.sh"]))),
        Get(Digest, CreateDigest([FileContent(START, SCRIPT.encode())])),
        Get(Digest, RemovePrefix(library.sources, library.source_root)),
    )
    return Process(
        ("/bin/sh", START, *step.arguments),
        description=step.description,
        input_digest=await Get(Digest, MergeDigests([pex, start, step.inputs])),
        # written once, not for every step: a link in the sandbox leads to its thousand files
        immutable_input_digests={library.source_root: sources},
        env={
            "PEX_EXTRA_SYS_PATH": library.source_root,
            "SLIPWAY_INTERPRETER": interpreter.identity,
            "SLIPWAY_PYTHON": interpreter.name,
        },
        output_files=step.output_files,
        output_directories=step.output_directories,
        append_only_caches=FrozenDict(
            {**machine.caches, **(library.python.append_only_caches or {})}
        ),
    )


@rule
async def run_step(step: Step) -> Part:
    result = await Get(FallibleProcessResult, Process, await Get(Process, Step, step))
    if result.exit_code != 0:
        output = (result.stderr or result.stdout).decode(errors="replace").strip()
        return Part(problem=output or f"{step.description}: (no output)")
    return Part(result.output_digest)


def rules() -> Iterable[Rule | UnionRule]:
    """Return this module's rules."""
    return collect_rules()
