"""The errors in a server's log, the failing model's own output first."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from slipway.errors import SlipwayError
from slipway.server.client import ServerDiedError
from slipway.server.model_frames import FRAME, readable_lines
from slipway.triton.image import numpy_support

LAST_LINES = 20
STACK = re.compile(r"^\s*\d+# ")
# glog's header, which every line of the server's own begins with: "E1120 18:00:50.868062 11725
# x.cc:1] "
HEADER = re.compile(r"^[IWEF]\d{4} \d\d:\d\d:\d\d\.\d+ \d+ [\w.]+:\d+\] ?")
FAILED = re.compile(
    r"(?:failed to load|failed to poll model|Poll failed for model directory)"
    r" '(?:[^'\n]*::)?([^'\n]+)'(?: version \d+)?: (?:Internal: )?(.+)",
    re.DOTALL,
)
NAMESPACE = re.compile(r"(?<=')[^'\n]*/model::")
SYNTAX = re.compile(r"\((?P<file>[\w.]+), line (?P<line>\d+)\)")
# how the server itself finds it: sagemaker_server.h, platform_ensemble_regex_
ENSEMBLE = re.compile(r'platform:\s*"ensemble"')
# what a machine without a GPU always logs, and the server's tables
NOISE = re.compile(r"CUDA|NVML|DCGM|cuda|[Nn]vml|pinned|^[+|]|^\s*$")
FIXES = (
    (
        r"numpy \S+ is not a version that .* tested with: \S+ to ([\d.]+\d)",
        r"write numpy<=\1 in requirements.txt, then run `slipway lock`",
    ),
    (
        r"numpy \S+ (does not work with|cannot be used on) this Python stub",
        "pip install nvidia-pytriton==0.7.0, or write numpy<2 in requirements.txt and run"
        " `slipway lock`",
    ),
    (
        r"unable to find backend library for backend '(\w+)'",
        r"this server has no backend '\1': `slipway check` says where the model can be tested",
    ),
    (
        r"No module named '([\w.]+)'",
        r"add the package that has '\1' to requirements.txt, then run `slipway lock`",
    ),
    (
        r"at least one version must be available",
        "every model directory needs a version directory, such as 1/, with a file in it",
    ),
    (
        r"not available or ambiguous|depends on|not found in any model repository",
        "give every step's model_name a directory of that name with a config.pbtxt of that name",
    ),
    (
        r"Stub process .* is not healthy",
        "look for a native library that crashes, or too little memory, in what the model loads",
    ),
    (
        r"failed to convert '|Execution Accelerator|expected values for |does not fit 32 bits",
        "correct it in config.pbtxt: `slipway check` names its line",
    ),
    (
        r"configuration (?:expects|specified|specifies)|unexpected inference (?:in|out)put|in the"
        r" model configuration|is not supported for models that support batching|sequence control"
        r"|for the model to support batching",
        "make config.pbtxt agree with the model's file",
    ),
    (
        r"No space left on device|initialize shared memory|increase shared memory",
        "make /dev/shm larger (Docker: --shm-size=1g): each instance of a Python model takes 16 MB",
    ),
    (
        r"No space left on device",
        "free space in the folder for temporary files, or set TMPDIR to one on another disk",
    ),
    (
        r"(lib[\w.+-]*?\.so[\w.]*): cannot open shared object",
        r"the serving image has no \1, so this server shows none: choose a package, or a version of"
        r" it, whose wheel has the library (opencv-python-headless for opencv-python)",
    ),
    (
        r"ended before it answered",
        "its execution environment is damaged, or lacks a shared library: build it again",
    ),
    (
        r"GLIBC|cannot open shared object",
        "run `slipway lock` again for the platform of the endpoint's image",
    ),
)


def start_error(source: str, what: str, log: Path) -> SlipwayError:
    """Return the error for a server that did not start."""
    text = log.read_text(encoding="utf-8", errors="replace")
    lines = [line for line in text.splitlines() if not NOISE.search(line)][-LAST_LINES:]
    return SlipwayError(
        f"{source}: {what}\n" + (_indented(lines) or "  (its log is empty)"),
        fix="run `slipway doctor`",
    )


def death_error(how: str, log: Path) -> ServerDiedError:
    """Return the error for a server that ended by itself, ``how``; ``log`` can be read later."""
    text = log.read_text(encoding="utf-8", errors="replace")
    lines = [line for line in text.splitlines() if not NOISE.search(line) and line.strip()]
    # below the reason, the server prints where each of its frames lies
    lines = [line for line in lines if not STACK.match(line)][-LAST_LINES:]
    return ServerDiedError(
        how,
        f"the Triton server ended {how}\n"
        + (_indented(lines) or "  (its log is empty)")
        + f"\nthe server's log: {log}",
        fix="run it again; if it ends again, look for a native library that crashes, or too little"
        " memory, in what the model loads",
    )


def load_error(target: str, message: str, text: str, folder: Path, rest: Path) -> SlipwayError:
    """Return the error for a target model that could not be loaded.

    ``message`` is the server's answer, ``text`` what it logged meanwhile, ``folder`` the model
    repository's directory, which is left out of paths, and ``rest`` the file with the complete log.
    """
    message, text = (part.replace(f"{folder}/", "") for part in (message, text))
    name, reason = _reason(message, text)
    if name == target:
        name = _served_model(folder)  # the server calls it by the target's name
    printed = [line for line in _own_lines(text) if line not in reason]
    what = f"target model {target!r} could not be loaded" + (f", {name!r} failed" if name else "")
    lines = [*printed[-LAST_LINES:], *readable_lines(reason, folder)]
    return SlipwayError(
        f"{what}\n{_indented(lines)}\nthe server's log: {rest}",
        where=_where(name, reason, folder),
        fix=_fix(reason),
    )


def _reason(message: str, text: str) -> tuple[str, str]:
    """Return the first model that failed, and why; the ensemble's failure only follows from it."""
    name, reason = "", re.sub(r"^load failed for model '[^']*': ", "", message)
    for entry in _entries(text):
        match = FAILED.search(entry)
        if match:
            name, reason = match.groups()
            break
    return name, NAMESPACE.sub("", reason).strip().removesuffix(";").strip()


def _served_model(folder: Path) -> str:
    """Return the name of the model that the endpoint serves: the ensemble, or the only one."""
    configs = sorted(folder.glob("*/config.pbtxt"))
    ensembles = [path for path in configs if ENSEMBLE.search(path.read_text(errors="replace"))]
    return next((path.parent.name for path in (*ensembles, *configs)), "")


def _entries(text: str) -> Iterator[str]:
    """Yield the server's own entries, without header and quotes (releases differ in quoting)."""
    for line in text.splitlines():
        header = HEADER.match(line)
        if not header:
            continue
        entry = line[header.end() :]
        try:
            yield str(json.loads(entry)) if entry.startswith('"') else entry
        except ValueError:
            yield entry.strip('"')


def adapted_numpy(text: str) -> tuple[str, ...]:
    """Return the versions of numpy to which models' Python stubs were adapted."""
    pattern = rf"^{re.escape(numpy_support.MESSAGE)} (\S+)$"
    return tuple(dict.fromkeys(re.findall(pattern, text, re.MULTILINE)))


def _own_lines(text: str) -> list[str]:
    """Return the lines that the models printed."""
    lines = [line for line in text.splitlines() if not line.startswith(numpy_support.MESSAGE)]
    return [line for line in lines if not HEADER.match(line) and not NOISE.match(line)]


def _where(name: str, reason: str, folder: Path) -> str | None:
    for frame in FRAME.finditer(reason):
        if not frame["file"].startswith(("/", "<")):
            return f"{frame['file']}:{frame['line']}"
    syntax = SYNTAX.search(reason)
    for file in folder.glob(f"{name}/*/{syntax['file']}") if syntax else ():
        return f"{file.relative_to(folder)}:{syntax['line']}" if syntax else None
    return f"{name}/config.pbtxt" if name else None


def _fix(reason: str) -> str:
    for pattern, fix in FIXES:
        match = re.search(pattern, reason)
        if match:
            return match.expand(fix)
    return "fix the model, then run `slipway test` again"


def _indented(lines: list[str]) -> str:
    return "\n".join(f"  {line}" for line in lines)
