"""Options that mean the same in every command, and old spellings that still work."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import click

from slipway.errors import SlipwayError

STAGES = ("staging", "production")

FILE = click.Path(dir_okay=False, path_type=Path)

type Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


class Size(click.ParamType[int]):
    """A number of bytes, such as ``4GiB`` or ``20GB``."""

    name = "size"

    def convert(self, value: Any, parameter: Any, context: Any) -> int:
        """Return the bytes."""
        from slipway.settings import size

        try:
            return size(value)
        except ValueError as error:
            self.fail(str(error), parameter, context)


def outputs_option(formats: Mapping[str, str], help: str) -> Decorator:
    """Return ``--output FILE``, which may be repeated, as ``outputs``. ``formats`` are those of
    reports by the endings of files; "" is a file without one."""
    endings = [ending for ending in formats if ending]

    def refuse(
        context: click.Context, option: click.Parameter, files: tuple[Path, ...]
    ) -> tuple[Path, ...]:
        for file in files:
            if file.suffix not in formats:
                raise SlipwayError(
                    f"no report of the kind {file.suffix or 'without an ending'}",
                    where=str(file),
                    fix=f"a name that ends with {', '.join(endings[:-1])} or {endings[-1]}",
                )
        return files

    return click.option("--output", "outputs", multiple=True, type=FILE, callback=refuse, help=help)


def write_output(path: Path, content: str | bytes) -> None:
    """Write a file that an option names.

    Raises:
        SlipwayError: it cannot be written.
    """
    from slipway.files import atomic_write

    try:
        with atomic_write(path) as temporary:
            temporary.write_bytes(content.encode() if isinstance(content, str) else content)
    except OSError as error:
        raise SlipwayError(
            f"cannot be written: {error.strerror}", where=str(path), fix="choose another file"
        ) from error


def json_option(help: str = "Print one JSON object.") -> Decorator:
    """Return ``--json``: the same output, for machines."""
    return click.option("--json", "as_json", is_flag=True, help=help)


def stage_option(help: str, *, default: str | None = None) -> Decorator:
    """Return ``--stage``: one of the two stages, as the parameter ``stage``."""
    return click.option(
        "--stage",
        type=click.Choice(STAGES),
        default=default,
        show_default=default is not None,
        help=help,
    )


def warn_renamed(old: str, new: str) -> None:
    """Say on standard error that ``old`` is an old spelling, and what to write."""
    click.echo(f"warning: {old} is deprecated and will be removed; use {new}", err=True)


def renamed_option(old: str, new: str, parameter: str, **attributes: Any) -> Decorator:
    """Return the hidden option ``old``, which sets ``parameter`` as ``new`` does, and warns."""

    def callback(context: click.Context, option: click.Parameter, value: Any) -> None:
        if value not in (None, (), False):
            warn_renamed(old, new)
            context.params[parameter] = value

    attribute = f"old_{old.strip('-').replace('-', '_')}"
    return click.option(
        old, attribute, hidden=True, expose_value=False, callback=callback, **attributes
    )


def json_had_a_value(is_old_value: Callable[[str], bool], new: str) -> type[click.Command]:
    """Return a class of commands whose ``--json`` took a value, and now is a flag.

    ``--json VALUE`` is read as the option ``new`` where the value is one of the old kind.
    """

    class Renaming(click.Command):
        def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
            return super().parse_args(context, _rename(args))

    def _rename(args: Sequence[str]) -> list[str]:
        renamed = list(args)
        for position, (arg, value) in enumerate(pairwise([*args, ""])):
            if arg == "--":
                break
            if arg.startswith("--json=") or (arg == "--json" and is_old_value(value)):
                warn_renamed("--json VALUE", f"{new} VALUE")
                renamed[position] = new + arg.removeprefix("--json")
        return renamed

    return Renaming
