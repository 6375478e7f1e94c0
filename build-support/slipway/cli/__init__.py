"""The ``slipway`` command: what it takes and prints. What it does lies in the library."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

import click

import slipway
from slipway.errors import SlipwayError

USER_ERROR, BUG, INTERRUPTED = 1, 3, 130

# command → module of slipway.cli that holds it; imported when it is called, so that starts stay fast
COMMANDS = {
    "new": "new",
    "check": "check",
    "build": "build",
    "test": "test",
    "evaluate": "evaluate",
    "bump": "bump",
    "publish": "publish",
    "promote": "promote",
    "rollback": "rollback",
    "status": "status",
    "history": "history",
    "verify": "verify",
    "prune": "prune",
    "run": "run",
    "endpoint": "endpoint",
    "invoke": "invoke",
    "loadtest": "loadtest",
    "smoke": "smoke",
    "report": "report",
    "notify": "notify",
    "client": "client",
    "describe": "describe",
    "alias": "alias",
    "keys": "keys",
    "affected": "affected",
    "receive": "receive",
    "propose": "receive",
    "lock": "lock",
    "inspect": "inspect",
    "diff": "diff",
    "infra": "infra",
    "doctor": "doctor",
    "weights": "steps",
    "environment": "steps",
    "pack": "steps",
}


class _Lazy(click.Group):
    """A group that imports a command's module when the command is wanted."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module = importlib.import_module(f"slipway.cli.{COMMANDS[name]}")
        command: click.Command = getattr(module, name)
        return command


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(slipway.__version__, prog_name="slipway")
def slipway_command() -> None:
    """From a folder of model code and weights to a release on a multi-model endpoint.

    Example: slipway build models/screen_detection
    """


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code: 0, 1 for a user's mistake, 3 for a bug of Slipway's."""
    try:
        result = slipway_command.main(argv, prog_name="slipway", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except SlipwayError as error:
        say_error(error)
        return USER_ERROR
    except click.ClickException as error:
        error.show()
        return USER_ERROR
    except (KeyboardInterrupt, click.Abort):
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except Exception:
        import traceback  # not at every start

        traceback.print_exc()
        print("error: this is a bug in slipway, not a mistake of yours", file=sys.stderr)
        print("fix: report it with the lines above", file=sys.stderr)
        return BUG


def say_error(error: SlipwayError) -> None:
    """Print an error as its reader should meet it: what and where, then ``fix:``."""
    print(f"error: {error}", file=sys.stderr)
