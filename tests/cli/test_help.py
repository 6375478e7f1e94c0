"""`slipway --help` and the help of each command: what they say, and that they start at once."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import slipway
from slipway.check.report import FORMATS
from slipway.cli import main, slipway_command
from slipway.cli.commands import BY_NAME, COMMANDS, STEPS, Entry
from slipway.cli.develop import check, new
from slipway.scaffold import from_template

WIDTH = 80
HEAVY = {
    "aiohttp", "asyncio", "boto3", "botocore", "cryptography", "dvc", "google", "http", "jinja2",
    "numpy", "onnx", "rich", "ssl", "tomllib", "uvloop", "yaml",
}  # fmt: skip
# of the library: a command's help imports the command line and nothing that it calls
LIGHT = ("slipway", "slipway.cli", "slipway.errors", "slipway.units")
MOST_MODULES = 90  # with click's own and the standard library's; 62 to 79 on Python 3.12

# one process imports the command line once, and a fork of it shows each command's help
IMPORTS = """
import json, os, sys
before = set(sys.modules)
from slipway.cli import main
for name in json.loads(sys.argv[1]):
    if os.fork() == 0:
        output = os.dup(1)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        main([name, "--help"] if name else ["--help"])
        sys.stdout.flush()
        modules = sorted(set(sys.modules) - before)
        os.write(output, (json.dumps([name, modules]) + chr(10)).encode())
        os._exit(0)
    os.wait()
"""


def command_of(entry: Entry) -> click.Command:
    command: click.Command = getattr(importlib.import_module(entry.module), entry.name)
    return command


def all_commands() -> Iterator[tuple[str, click.Command]]:
    """Yield each command and each command of a group, with the words that call it."""
    for entry in COMMANDS:
        command = command_of(entry)
        yield entry.name, command
        if isinstance(command, click.Group):
            for name, part in command.commands.items():
                yield f"{entry.name} {name}", part


@pytest.fixture(scope="module")
def imported() -> dict[str, list[str]]:
    """The modules that each command's help imports; of ``slipway --help`` by the key ``""``."""
    library = str(Path(slipway.__file__).parent.parent)
    path = os.pathsep.join([library, *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS, json.dumps(["", *BY_NAME])],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(map(json.loads, done.stdout.splitlines()))


@pytest.mark.parametrize("name", ["", *BY_NAME])
def test_help_imports_the_command_line_and_little_else(
    name: str, imported: dict[str, list[str]]
) -> None:
    modules = imported[name]
    assert HEAVY.isdisjoint(module.partition(".")[0] for module in modules)
    library = [module for module in modules if module.startswith("slipway")]
    assert [m for m in library if m not in LIGHT and not m.startswith("slipway.cli.")] == []
    assert len(modules) <= MOST_MODULES, modules


def test_the_list_of_commands_imports_none_of_them(imported: dict[str, list[str]]) -> None:
    assert not {entry.module for entry in COMMANDS} & set(imported[""])


@pytest.mark.parametrize("entry", COMMANDS, ids=lambda entry: entry.name)
def test_the_table_says_what_a_commands_own_help_says(entry: Entry) -> None:
    help = command_of(entry).help
    assert help is not None and help.partition("\n\n")[0] == entry.summary


@pytest.mark.parametrize("entry", COMMANDS, ids=lambda entry: entry.name)
def test_every_command_has_an_example_of_its_own(entry: Entry) -> None:
    assert f"Example: slipway {entry.name}" in (command_of(entry).help or "")


def test_every_command_stands_in_its_group_on_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(WIDTH))
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= WIDTH and "..." not in text.partition("Options:")[2]
    groups = re.findall(r"^(\w+):\n((?:  .+\n?)+)", text.partition("Options:")[2], re.MULTILINE)
    lines = [(group, *re.split(r" {2,}", line.strip())) for group, body in groups
             for line in body.splitlines()]  # fmt: skip
    assert lines == [(e.group, e.name, e.summary) for e in COMMANDS if e.group != STEPS]


@pytest.mark.parametrize("words", [["--all"], ["--help", "--all"], ["--all", "--help"]])
def test_all_shows_the_single_build_steps_as_well(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 0
    text = capsys.readouterr().out
    assert all(f"  {entry.name} " in text for entry in COMMANDS) and f"{STEPS}:" in text


def test_no_help_is_cut_off_or_wider_than_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(WIDTH))
    for words, command in all_commands():
        assert main([*words.split(), "--help"]) == 0
        text = capsys.readouterr().out
        assert max(map(len, text.splitlines())) <= WIDTH, words
        if isinstance(command, click.Group):
            assert "..." not in text.partition("Commands:")[2], words


def test_every_option_is_explained_in_a_sentence() -> None:
    wrong = [
        f"slipway {words} {parameter.opts[0]}: {parameter.help!r}"
        for words, command in all_commands()
        for parameter in command.params
        if isinstance(parameter, click.Option) and not parameter.hidden
        if not re.fullmatch(r"[A-Za-z0-9].*[.]", parameter.help or "")
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("words", "suggestion"),
    [
        (["publsh"], "Did you mean 'publish'?"),
        (["endpoint", "upp"], "Did you mean 'up'?"),
        (["infra", "deply"], "Did you mean 'deploy'?"),
        (["status", "--jsn"], "Did you mean '--json'?"),
        (["publish", "--stag", "staging"], "--stage"),
    ],
)
def test_a_misspelled_command_or_option_is_answered_with_the_nearest(
    words: list[str], suggestion: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 1
    assert suggestion in capsys.readouterr().err


def test_choices_that_are_listed_without_importing_are_those_of_the_library() -> None:
    assert {*check.FORMATS, "json"} == set(FORMATS)
    assert new.TEMPLATES == from_template.KINDS


def test_the_shell_completes_commands_without_importing_them() -> None:
    context = click.Context(slipway_command)
    items = {item.value: item.help for item in slipway_command.shell_complete(context, "prom")}
    assert items == {"promote": BY_NAME["promote"].summary}
