"""docs/tutorial.md, followed step by step: every command prints what the page says."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import slipway
from tests import sessions
from tests.docs.pages import DOCS, ROOT, tokens
from tests.sessions import Command

PAGE = DOCS / "tutorial.md"
UP = "./slipway endpoint up\n"
# what differs from machine to machine, and from run to run
VOLATILE = {
    r"\b(?:rc\.)?h[0-9a-f]{12}\b": "<digest>",
    r"\d\d\d\d-\d\d-\d\d \d\d:\d\d UTC": "<time>",
    r"(?<=in )\d+\.\d+ ?s\b": "<seconds>",
    r"\b\d+(\.\d+)? MB": "<size>",
    r"\d\.\d{4,}(e-\d+)?": "<number>",
    r"^(platform|rootdir:|plugins:) .*": r"\1",
    r"^[=-]+ ?(.*?) ?[=-]+$": r"\1",
    r"/\S+/(?=dist/|\.slipway/)": "",
    r"127\.0\.0\.1:\d+": "<address>",
    r" +(?=\[)": " ",
}


@dataclass(frozen=True)
class Step:
    """A code block of the page, under its heading: a session, a file or a change."""

    heading: str
    language: str
    content: str
    file: str  # that a reader saves it as; empty for sessions and changes


def steps() -> list[Step]:
    """Return the code blocks of the page in their order."""
    result: list[Step] = []
    heading = file = ""
    previous = None
    for token in tokens(PAGE):
        if token.type == "inline" and previous is not None and previous.type == "heading_open":
            heading = token.content
        elif token.type == "inline":
            name = re.search(r"Save it as `([\w./]+)`", token.content)
            file = name[1] if name else ""
        elif token.type == "fence":
            result.append(Step(heading, token.info.strip(), token.content, file))
            file = ""
        previous = token
    return result


def clone(folder: Path) -> None:
    """Make ``folder`` what a clone of this repository is to the tutorial: without other models."""
    (folder / ".dvc").mkdir(parents=True)
    (folder / ".dvc" / "config").write_text("[core]\n    analytics = false\n", encoding="utf-8")
    (folder / ".dvc" / ".gitignore").write_text("/config.local\n/tmp\n/cache\n", encoding="utf-8")
    shutil.copy(ROOT / "slipway.toml", folder)
    (folder / "build-support").symlink_to(Path(slipway.__file__).parent.parent)
    (folder / ".gitignore").write_text("/.slipway/\n/dist/\n/bin/\n/slipway\n", encoding="utf-8")
    sessions.add_program(folder, "slipway", module="slipway")
    sessions.add_program(folder / "bin", "python")
    for words in (
        ["init", "--quiet", "--initial-branch=main"],
        ["config", "user.name", "reader"],
        ["config", "user.email", "reader@localhost"],
        ["add", "--all"],
        ["commit", "--quiet", "--message", "What a clone has"],
    ):
        subprocess.run(["git", *words], cwd=folder, check=True)


def environment(folder: Path) -> dict[str, str]:
    """Return the environment of the reader's shell.

    The reader's cache and package index are those of this machine, as for the tests of models.
    """
    foreign = ("SLIPWAY_", "CI_", "PYTEST_")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(foreign)}
    return kept | {
        "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(Path(slipway.__file__).parent.parent),
        "LANG": "C.UTF-8",
        "COLUMNS": "80",
    }


@contextmanager
def endpoint_up(folder: Path) -> Iterator[str]:
    """The second terminal, with an endpoint on a free port; what it prints until it is ready."""
    command = [sys.executable, "-m", "slipway", *"endpoint up --port 0 --shared-machine".split()]
    with subprocess.Popen(
        command,
        cwd=folder,
        env=environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as terminal:
        assert terminal.stdout is not None
        lines: list[str] = []
        try:
            for line in terminal.stdout:
                lines.append(line)
                if "Ctrl-C" in line:
                    break
            yield "".join(lines)
        finally:
            terminal.send_signal(signal.SIGINT)
            terminal.communicate(timeout=60)


def follow(folder: Path, stack: ExitStack) -> Iterator[tuple[Step, list[Command]]]:
    """Follow the page in ``folder``; yield each session with what its commands print."""
    for step in steps():
        if step.file:
            (folder / step.file).write_text(step.content, encoding="utf-8")
        elif step.language == "diff":
            command = ["git", "apply", "--whitespace=nowarn"]
            subprocess.run(command, input=step.content, cwd=folder, text=True, check=True)
        else:
            session = list(sessions.commands(step.content))
            if session[0].text == UP:
                yield step, [Command(UP, stack.enter_context(endpoint_up(folder)))]
            else:
                yield step, sessions.run(session, folder, environment(folder), timeout_s=600)


def test_every_command_of_the_tutorial_prints_what_the_page_says(tmp_path: Path) -> None:
    folder = tmp_path / "clone"
    clone(folder)
    with ExitStack() as stack:
        for step, session in follow(folder, stack):
            for shown, typed in zip(sessions.commands(step.content), session, strict=True):
                printed = sessions.mask(typed.output, VOLATILE)
                assert printed == sessions.mask(shown.output, VOLATILE), typed.text


def test_the_tutorial_has_no_block_that_the_test_does_not_follow() -> None:
    for step in steps():
        assert step.file or step.language in {"console", "diff"}, step.content
