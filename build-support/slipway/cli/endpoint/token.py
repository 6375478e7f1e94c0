"""``slipway token``."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from slipway.cli.options import json_option

if TYPE_CHECKING:
    from slipway.endpoint.access.tokens.record import Issued

UNITS = {"m": "minutes", "h": "hours", "d": "days"}
LONGEST = timedelta(days=366)


class Lifetime(click.ParamType[timedelta]):
    """How long a token holds, such as ``12h`` or ``30d``; a year at most."""

    name = "time"

    def convert(self, value: Any, parameter: Any, context: Any) -> timedelta:
        """Return the time."""
        if isinstance(value, timedelta):
            return value
        found = re.fullmatch(r"([1-9][0-9]{0,5})([mhd])", value)
        if not found:
            self.fail(f"{value!r} is no time such as 90m, 12h or 30d", parameter, context)
        lifetime = timedelta(**{UNITS[found[2]]: int(found[1])})
        if lifetime > LONGEST:
            self.fail(f"{value} is more than {LONGEST.days}d", parameter, context)
        return lifetime


@click.group()
def token() -> None:
    """Issue and revoke tokens for an endpoint that asks for them.

    Example: slipway token create alice --expires 12h
    """


@token.command()
@click.argument("subject", metavar="NAME")
@click.option(
    "--expires",
    type=Lifetime(),
    default="1d",
    show_default=True,
    help="How long it holds: 90m, 12h, 30d.",
)
@click.option(
    "--target",
    "targets",
    multiple=True,
    default=("*",),
    show_default=True,
    metavar="PATTERN",
    help="Target models that it may invoke, as IAM's StringLike; may be repeated.",
)
@click.option(
    "--endpoint",
    "endpoints",
    multiple=True,
    default=("*",),
    show_default=True,
    metavar="PATTERN",
    help="Endpoints that it is for; may be repeated.",
)
@click.option(
    "--action",
    "actions",
    multiple=True,
    type=click.Choice(["invoke", "look"]),
    help="invoke: models; look: the page, its data, metrics. By default both.",
)
@click.option("--link", metavar="URL", help="Print a link that opens the page of this endpoint.")
@json_option()
def create(
    subject: str,
    expires: timedelta,
    targets: tuple[str, ...],
    endpoints: tuple[str, ...],
    actions: tuple[Any, ...],
    link: str | None,
    as_json: bool,
) -> None:
    """Issue a token for NAME, and print it; it is kept nowhere.

    \b
    Example: slipway token create alice --target 'screen_*' --expires 12h
      slipway token create bob --action look --link http://192.0.2.7:8090
    """
    from slipway.endpoint.access.tokens.grant import ACTIONS
    from slipway.endpoint.access.tokens.token import check_subject, issue

    folder = _folder()
    text, grant = issue(
        folder,
        check_subject(subject),
        expires,
        actions=actions or ACTIONS,
        targets=targets,
        endpoints=endpoints,
    )
    page = f"{link.rstrip('/')}/#token={text}" if link else None
    if as_json:
        values = {"token": text, "id": grant.id, "expires": grant.expires.isoformat()}
        click.echo(json.dumps(values | ({"link": page} if page else {})))
        return
    click.echo(page or text)
    click.echo(
        f"id {grant.id}, until {grant.expires:%Y-%m-%d %H:%M} UTC:"
        f" {', '.join(grant.actions)} of {', '.join(targets)} on {', '.join(endpoints)}",
        err=True,
    )


@token.command("list")
@json_option()
def list_(as_json: bool) -> None:
    """List tokens that have not expired, by their ids.

    Example: slipway token list
    """
    from slipway.endpoint.access.tokens.record import read_issued

    issued = sorted(read_issued(_folder()).values(), key=lambda one: one.grant.expires)
    if as_json:
        click.echo(json.dumps([_dump(one) for one in issued]))
        return
    if not issued:
        click.echo("no token is in force")
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table("id", "for", "until (UTC)", "may", "targets", "endpoints", "", box=None)
    for one in issued:
        grant = one.grant
        cells = (
            grant.id,
            grant.subject,
            f"{grant.expires:%Y-%m-%d %H:%M}",
            ", ".join(grant.actions),
            ", ".join(grant.targets),
            ", ".join(grant.endpoints),
            "revoked" if one.revoked else "",
        )
        table.add_row(*map(escape, cells))
    Console(highlight=False, soft_wrap=True).print(table)


@token.command()
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
def revoke(ids: tuple[str, ...]) -> None:
    """Revoke tokens by their ids, or the beginnings of these. A running endpoint knows in a second.

    Example: slipway token revoke 3f9d
    """
    from slipway.endpoint.access.tokens import record

    for grant in record.revoke(_folder(), ids):
        click.echo(f"{grant.id} of {grant.subject}: revoked")


@token.command()
@click.option("--revoke", "ends", is_flag=True, help="End all tokens of earlier keys at once.")
def rotate(ends: bool) -> None:
    """Sign with a new key from now on. Tokens of earlier keys hold until they expire.

    Example: slipway token rotate
    """
    from slipway.endpoint.access.tokens import keys, record

    folder = _folder()
    kid = keys.create_key(folder)
    click.echo(f"key {kid} signs from now on")
    if ends:
        removed = keys.remove_other_keys(folder, kid)
        record.clear(folder)
        click.echo(f"{removed} earlier keys are removed: no token issued so far holds any more")


def _folder() -> Path:
    from slipway import settings
    from slipway.endpoint.access.tokens.keys import tokens_folder
    from slipway.extras import require

    require("endpoint")
    return tokens_folder(settings.load(Path.cwd()).root)


def _dump(issued: Issued) -> dict[str, Any]:
    grant = issued.grant
    return {
        "id": grant.id,
        "subject": grant.subject,
        "issued": grant.issued.isoformat(),
        "expires": grant.expires.isoformat(),
        "actions": grant.actions,
        "targets": grant.targets,
        "endpoints": grant.endpoints,
        "revoked": issued.revoked,
    }
