"""``slipway completion``."""

from __future__ import annotations

import click

SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print the completion script for a shell.

    It completes commands, options and the names of models. Add one line to your shell's settings:

    \b
    bash    ~/.bashrc                    eval "$(slipway completion bash)"
    zsh     ~/.zshrc, after compinit     eval "$(slipway completion zsh)"
    fish    ~/.config/fish/config.fish   slipway completion fish | source

    Example: slipway completion bash
    """
    from click.shell_completion import get_completion_class

    from slipway.cli import slipway_command

    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(slipway_command, {}, "slipway", "_SLIPWAY_COMPLETE").source())
