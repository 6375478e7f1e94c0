"""The sessions in docs/endpoint.md, typed again: they print what the page says they print."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import fixture_models
from tests.endpoint import shelf as shelves
from tests.endpoint.shelf import Shelf, Up, until

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "endpoint.md").read_text(encoding="utf-8")
PORT = "8090"
# what differs from run to run, and what stands for it when two runs are compared
VOLATILE = {
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}": "<a request's id>",
    r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT": "<a date>",
    r"(?<=aiohttp/)[\d.]+": "<version>",
    r"Python/3\.\d+": "Python/<version>",
    # each test may be the first to ask
    r"(?<=X-Slipway-Model-Cache: )(hit|load)": "<hit or load>",
    # an invocation waits a minute for its model; in the test it waits a second
    r"(?<=being loaded after )\d+ s": "<seconds> s",
}
MARK = "=== typed: "


@dataclass(frozen=True)
class Typed:
    """A command of a session and what it prints, errors included."""

    command: str
    printed: str


def sessions() -> dict[str, list[Typed]]:
    """The sessions of the page by the heading that they stand under."""
    found: dict[str, list[Typed]] = {}
    heading = ""
    for piece in re.finditer(
        r"^#+ ([^\n]+)$|^```console\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL
    ):
        if piece[1]:
            heading = piece[1]
        elif "slipway endpoint up" not in piece[2]:
            found.setdefault(heading, []).extend(_typed(piece[2]))
    return found


def _typed(block: str) -> Iterator[Typed]:
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        whole = re.match(r"(?:.*\\\n)*.*\n", part)
        assert whole is not None
        yield Typed(whole[0], part[whole.end() :])


def plain(text: str) -> str:
    """``text`` with the volatile parts masked."""
    for pattern, stands in VOLATILE.items():
        text = re.sub(pattern, stands, text)
    return text.replace("\r", "").strip()


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An endpoint with the targets that the page names; ``slow`` loads until the test ends."""
    folder = tmp_path_factory.mktemp("sessions")
    shelf = Shelf(folder)
    gate = shelf.gate("slow")
    shelf.put(1, "slow_1.0.0.tar.gz", load_when=gate)
    adder = fixture_models.copy("adder", folder)
    fixture_models.pack(adder, shelf.path("adder_1.0.0.tar.gz"))
    with shelves.up(folder / "root", shelf, allow=("adder_*", "slow_*"), not_ready_s=1.0) as up:
        # what the page shows is an answer, and on a busy machine the first one may come too late
        until(lambda: _loads(up, "adder_1.0.0.tar.gz"))
        yield up.url
        gate.touch()
        until(
            lambda: not any(model.state == "loading" for model in up.inside.models.table.values())
        )


def _loads(up: Up, target: str) -> bool:
    with contextlib.suppress(up.errors.ClientError):
        up.ask(target)  # of other tensors: refused, once it is loaded
    return up.loaded() == [target]


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """Where the commands are typed: with the page's files, and the programs that it types."""
    shutil.copytree(DOCS / "sessions", tmp_path / "docs" / "sessions")
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, words in {"python": "", "aws": " -m awscli"}.items():
        program = programs / name
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}"{words} "$@"\n', encoding="utf-8")
        program.chmod(0o755)
    return tmp_path


def run(desk: Path, url: str, session: list[Typed]) -> list[Typed]:
    """Type the commands of a session into one shell, whose user has no configuration of AWS."""
    port = url.rpartition(":")[2]
    script = desk / "session.sh"
    lines = [f"echo '{MARK}{n}'\n{typed.command}" for n, typed in enumerate(session)]
    script.write_text("".join(lines).replace(PORT, port), encoding="utf-8")
    for path in (desk / "docs" / "sessions").iterdir():
        path.write_text(path.read_text(encoding="utf-8").replace(PORT, port), encoding="utf-8")
    environment = {
        "PATH": f"{desk / 'bin'}:{os.environ['PATH']}",
        "HOME": str(desk),
        "LANG": "C.UTF-8",
        "PYTHONPATH": ":".join(filter(None, sys.path)),
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    done = subprocess.run(
        ["bash", str(script)],
        cwd=desk,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    printed = re.split(rf"^{MARK}\d+\n", done.stdout.replace(port, PORT), flags=re.MULTILINE)[1:]
    return [Typed(typed.command, out) for typed, out in zip(session, printed, strict=True)]


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("heading", sessions())
def test_a_session_prints_what_the_page_says(heading: str, desk: Path, url: str) -> None:
    for typed, said in zip(run(desk, url, sessions()[heading]), sessions()[heading], strict=True):
        assert plain(typed.printed) == plain(said.printed), typed.command


@pytest.mark.parametrize("path", sorted((DOCS / "sessions").iterdir()), ids=lambda path: path.name)
def test_the_page_shows_the_sessions_files_as_they_are(path: Path) -> None:
    assert f"```{path.suffix[1:].replace('py', 'python')}\n{path.read_text()}```" in PAGE


def test_the_page_has_a_session_of_each_client() -> None:
    commands = "".join(typed.command for session in sessions().values() for typed in session)
    assert {"curl", "aws", "python"} <= set(re.findall(r"^\w+", commands, re.MULTILINE))
