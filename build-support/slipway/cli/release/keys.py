"""``slipway keys``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from slipway.cli.options import json_option
from slipway.errors import SlipwayError


@click.group()
def keys() -> None:
    """Create and list the keys that sign releases.

    Example: slipway keys list
    """


@keys.command()
@click.argument("private", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--public",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the public key here; by default to keys/<name of PRIVATE>.pub.pem.",
)
def new(private: Path, public: Path | None) -> None:
    """Create an ed25519 key pair.

    The private key is for the pipeline, the public one for the repository.

    Example: slipway keys new ~/slipway-releases.pem
    """
    from slipway import settings
    from slipway.release.evidence import key_pair
    from slipway.settings.release import SIGNING_KEY

    root = settings.load(Path.cwd()).root
    public = public or root / "keys" / f"{private.stem}.pub.pem"
    keyid = key_pair.create_key_pair(private, public, root)
    path = public.resolve()
    entry = path.relative_to(root) if path.is_relative_to(root) else path
    click.echo(f"key {keyid}")
    click.echo(f"private: {private}: add it to CI as the protected file variable {SIGNING_KEY}")
    click.echo(f"public: {entry}: commit it, and add it to slipway.toml:")
    click.echo(f'\n[signing]\ntrusted = ["{entry}"]')


@keys.command("list")
@json_option()
def list_(as_json: bool) -> int:
    """List the key that signs here and the trusted keys.

    Exits with 1 if the key that signs is not trusted.

    Example: slipway keys list
    """
    from slipway import settings
    from slipway.release.evidence import signing
    from slipway.settings.release import SIGNING_KEY

    configured = settings.load(Path.cwd())
    trusted = signing.load_trusted_keys(configured)
    signer = signing.load_signer(configured)
    signs = None if signer is None else signer.public_key.keyid
    entries = dict(zip(configured.signing.trusted, (key.keyid for key in trusted), strict=True))
    is_trusted = signs is None or signs in entries.values()
    if as_json:
        click.echo(json.dumps({"signs": signs, "trusted": entries}))
    else:
        click.echo(f"signs: {signs or f'nothing ([signing] key and {SIGNING_KEY} are empty)'}")
        for entry, keyid in entries.items():
            click.echo(f"trusted: {keyid}  {entry}")
        if not entries:
            click.echo("trusted: no key")
    if not is_trusted:
        raise SlipwayError(
            "the key that signs here is not trusted, so nobody can verify its signatures",
            where="slipway.toml: [signing]",
            fix="add its public key to trusted",
        )
    return 0
