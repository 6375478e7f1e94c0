"""The group of all commands, which imports a command only when it is called."""

from __future__ import annotations

import importlib
from itertools import groupby, takewhile

import click

from slipway.cli.commands import BY_NAME, COMMANDS, STEPS

_SHOW_STEPS = "slipway.cli.show_steps"


class RootGroup(click.Group):
    """A group whose help comes from the table of commands, in the groups that the table names."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(BY_NAME)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in BY_NAME:
            return None
        command: click.Command = getattr(importlib.import_module(BY_NAME[name].module), name)
        return command

    def resolve_command(
        self, context: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(context, args)
        except click.NoSuchCommand as error:
            # click compares with the commands that were added to the group, and none was
            raise click.NoSuchCommand(
                error.command_name, possibilities=BY_NAME, ctx=context
            ) from None

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        # --help ends the parsing where it stands, so --all is looked for on both sides of it
        context.meta[_SHOW_STEPS] = "--all" in takewhile(lambda arg: arg.startswith("-"), args)
        return super().parse_args(context, args)

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        width = max(map(len, BY_NAME))
        for title, entries in groupby(COMMANDS, key=lambda entry: entry.group):
            if title == STEPS and not context.meta.get(_SHOW_STEPS):
                continue
            with formatter.section(title):
                formatter.write_dl([(f"{entry.name:{width}}", entry.summary) for entry in entries])

    def shell_complete(
        self, context: click.Context, incomplete: str
    ) -> list[click.shell_completion.CompletionItem]:
        from click.shell_completion import CompletionItem

        items = [
            CompletionItem(entry.name, help=entry.summary)
            for entry in COMMANDS
            if entry.group != STEPS and entry.name.startswith(incomplete)
        ]
        return items + click.Command.shell_complete(self, context, incomplete)
