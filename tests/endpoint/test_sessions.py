"""The sessions in docs/endpoint.md: typed again, they print what the page shows."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import fixture_models, sessions
from tests.endpoint import shelf as shelves
from tests.endpoint.shelf import Shelf, Up, until
from tests.sessions import Command

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "endpoint.md").read_text(encoding="utf-8")
PORT = "8090"
# what differs from run to run, with its placeholder
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


def page_sessions() -> dict[str, list[Command]]:
    """Return the sessions of the page by their headings."""
    result: dict[str, list[Command]] = {}
    heading = ""
    for piece in re.finditer(
        r"^#+ ([^\n]+)$|^```console\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL
    ):
        if piece[1]:
            heading = piece[1]
        elif "slipway endpoint up" not in piece[2]:
            result.setdefault(heading, []).extend(sessions.commands(piece[2]))
    return result


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
    """A folder to type the commands in: with the page's files, and the programs that it types."""
    shutil.copytree(DOCS / "sessions", tmp_path / "docs" / "sessions")
    sessions.add_program(tmp_path / "bin", "python")
    sessions.add_program(tmp_path / "bin", "aws", module="awscli")
    return tmp_path


def run(desk: Path, url: str, session: list[Command]) -> list[Command]:
    """Type the commands of a session as a user without configuration of AWS does."""
    port = url.rpartition(":")[2]
    for path in (desk / "docs" / "sessions").iterdir():
        path.write_text(path.read_text(encoding="utf-8").replace(PORT, port), encoding="utf-8")
    environment = {
        "PATH": f"{desk / 'bin'}:{os.environ['PATH']}",
        "HOME": str(desk),
        "LANG": "C.UTF-8",
        "PYTHONPATH": ":".join(filter(None, sys.path)),
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    local = [Command(command.text.replace(PORT, port), "") for command in session]
    typed = sessions.run(local, desk, environment)
    return [Command(command.text, command.output.replace(port, PORT)) for command in typed]


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("heading", page_sessions())
def test_a_session_prints_what_the_page_says(heading: str, desk: Path, url: str) -> None:
    session = page_sessions()[heading]
    for typed, shown in zip(run(desk, url, session), session, strict=True):
        expected = sessions.mask(shown.output, VOLATILE)
        assert sessions.mask(typed.output, VOLATILE) == expected, shown.text


@pytest.mark.parametrize("path", sorted((DOCS / "sessions").iterdir()), ids=lambda path: path.name)
def test_the_page_shows_the_sessions_files_as_they_are(path: Path) -> None:
    assert f"```{path.suffix[1:].replace('py', 'python')}\n{path.read_text()}```" in PAGE


def test_the_page_has_a_session_of_each_client() -> None:
    typed = "".join(command.text for session in page_sessions().values() for command in session)
    assert {"curl", "aws", "python"} <= set(re.findall(r"^\w+", typed, re.MULTILINE))
