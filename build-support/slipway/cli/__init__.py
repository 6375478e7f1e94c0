"""The ``slipway`` command: what it takes and prints. What it does is in the library."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

import slipway
from slipway.cli.exit_codes import BUG, INTERRUPTED, USER_ERROR, print_error
from slipway.cli.root_group import RootGroup
from slipway.errors import SlipwayError


def _show_all(context: click.Context, option: click.Parameter, value: bool) -> None:
    if value and not context.resilient_parsing:
        click.echo(context.get_help())
        context.exit()


@click.group(cls=RootGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--all",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_all,
    help="Show this message and the single build steps.",
)
@click.version_option(slipway.__version__, prog_name="slipway")
def slipway_command() -> None:
    """From a folder of model code and weights to a release on a multi-model endpoint.

    MODEL and NAME are a model's name, models/NAME or a path.

    Example: slipway build screen_detection
    """


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return 0, 1 for a user's mistake, or 3 for a bug of Slipway's."""
    try:
        result = slipway_command.main(argv, prog_name="slipway", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except SlipwayError as error:
        print_error(error)
        return USER_ERROR
    except click.ClickException as error:
        error.show()
        return USER_ERROR
    except (KeyboardInterrupt, click.Abort):
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except Exception as error:
        import traceback  # not at every start

        from slipway.disk import find_disk_error

        disk_error = find_disk_error(error)
        if disk_error is not None:
            print_error(disk_error)
            return USER_ERROR
        traceback.print_exc()
        print("error: this is a bug in slipway, not a mistake of yours", file=sys.stderr)
        print("fix: report it with the lines above", file=sys.stderr)
        return BUG
