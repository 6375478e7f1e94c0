"""``slipway keys``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from slipway.errors import SlipwayError
from slipway.settings.release import SIGNING_KEY


@click.group()
def keys() -> None:
    """The keys that sign releases, and that are trusted to have signed them.

    Example: slipway keys list
    """


@keys.command()
@click.argument("private", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--public",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Default: keys/<name of PRIVATE>.pub.pem in the repository.",
)
def new(private: Path, public: Path | None) -> None:
    """Make an ed25519 key pair: PRIVATE for the pipeline, its public half for the repository.

    Example: slipway keys new ~/slipway-releases.pem
    """
    from slipway import settings
    from slipway.release.evidence import key_pair

    root = settings.load(Path.cwd()).root
    public = public or root / "keys" / f"{private.stem}.pub.pem"
    keyid = key_pair.create(private, public, root)
    shown = public.resolve()
    named = shown.relative_to(root) if shown.is_relative_to(root) else shown
    click.echo(f"key {keyid}")
    click.echo(f"private: {private}: put it into CI as the file variable {SIGNING_KEY}, protected")
    click.echo(f"public: {named}: commit it, and add it to slipway.toml:")
    click.echo(f'\n[signing]\ntrusted = ["{named}"]')


@keys.command("list")
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def list_(as_json: bool) -> int:
    """Show the id of the key that signs here, and of those that are trusted.

    Ends with 1 if the one that signs is not among the trusted.

    Example: slipway keys list
    """
    from slipway import settings
    from slipway.release.evidence import signing

    configured = settings.load(Path.cwd())
    trusted = signing.trusted(configured)
    signer = signing.signer(configured)
    signs = None if signer is None else signer.public_key.keyid
    entries = dict(zip(configured.signing.trusted, (key.keyid for key in trusted), strict=True))
    known = signs is None or signs in entries.values()
    if as_json:
        click.echo(json.dumps({"signs": signs, "trusted": entries}))
    else:
        click.echo(f"signs: {signs or f'nothing ([signing] key and {SIGNING_KEY} are empty)'}")
        for entry, keyid in entries.items():
            click.echo(f"trusted: {keyid}  {entry}")
        if not entries:
            click.echo("trusted: no key")
    if not known:
        raise SlipwayError(
            "the key that signs here is not trusted: nobody could verify its signatures",
            where="slipway.toml: [signing]",
            fix="add its public key to trusted",
        )
    return 0
