"""The commands that the documents show: each one exists, with the options that it is given."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from slipway.cli import slipway_command
from tests.docs.pages import DOCS, PAGES, code, page_id

TYPED = re.compile(
    r"^(?:\$ )?(?:\w+=\S+ )*(?:(?:\./|ci/)?slipway|ci/for-each-model) ([a-z].*)$", re.MULTILINE
)


def typed(page: Path) -> Iterator[list[str]]:
    """Yield the words of each `slipway` command of a page, without comments."""
    for block in code(page):
        for match in TYPED.finditer(block.replace("\\\n", " ")):
            line = re.split(r" #|[;|&>…]|\s{3,}", match[1])[0]
            yield shlex.split(line)


def find_command(words: list[str]) -> tuple[click.Command | None, list[str]]:
    """Return the command that ``words`` name, or None, and the words after its name."""
    command: click.Command | None = slipway_command
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        context = click.Context(command)
        command, words = command.get_command(context, words[0]), words[1:]
    return command, words


def unknown_options(command: click.Command, words: list[str]) -> list[str]:
    """Return the options among ``words`` that the command does not have, or has no more."""
    options = [option for option in command.params if isinstance(option, click.Option)]
    names = {name for option in options if not option.hidden for name in option.opts}
    given = [word.partition("=")[0] for word in words if re.match(r"--?[a-zA-Z]", word)]
    return [name for name in given if name not in names | {"--help", "-h"}]


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_command_that_a_page_shows_exists(page: Path) -> None:
    for words in typed(page):
        command, rest = find_command(words)
        assert command is not None, f"slipway {shlex.join(words)}: no such command"
        assert not unknown_options(command, rest), f"slipway {shlex.join(words)}"


def test_a_command_or_option_that_is_gone_would_be_noticed() -> None:
    assert find_command(["publsh", "moons"])[0] is None
    command, rest = find_command(["test", "moons", "--update-goldens"])
    assert command is not None and unknown_options(command, rest) == ["--update-goldens"]


def test_the_page_of_commands_has_every_command_of_the_help() -> None:
    context = click.Context(slipway_command)
    visible = {
        name
        for name in slipway_command.list_commands(context)
        if (command := slipway_command.get_command(context, name)) and not command.hidden
    }
    shown = {words[0] for words in typed(DOCS / "commands.md")}
    assert visible <= shown
