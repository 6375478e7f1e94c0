"""``slipway alias``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from slipway.cli.progress import working
from slipway.errors import SlipwayError

if TYPE_CHECKING:
    from slipway.catalog.alias import Alias, Variant
    from slipway.catalog.catalog import Catalog
    from slipway.catalog.keys import Stage


@click.command()
@click.argument("name")
@click.argument("targets", nargs=-1, metavar="[TARGET[=WEIGHT]]...")
@click.option("--shadow", metavar="TARGET", help="Is invoked beside, and never returned.")
@click.option("--to", "stage", type=click.Choice(["staging", "production"]), default="staging")
@click.option("--reason", metavar="TEXT", help="Why, for slipway history.")
@click.option("--json", "as_json", is_flag=True, help="The alias as one JSON object.")
def alias(
    name: str,
    targets: tuple[str, ...],
    shadow: str | None,
    stage: str,
    reason: str | None,
    as_json: bool,
) -> None:
    """Let NAME stand for one TARGET, or for several by their weights. Without TARGET, show it.

    A release version, or another part of a target model's key, will do where one release fits.
    The next slipway publish or promote of NAME, and a rollback, make it stand for one release alone.

    Example: slipway alias screen_detection 1.0.0=90 1.1.0=10 --to production
    """
    from slipway import settings
    from slipway.catalog import alias as aliases
    from slipway.catalog.alias_move import serve
    from slipway.catalog.catalog import Catalog
    from slipway.catalog.origin import origin
    from slipway.release.rollback import refuse_damaged
    from slipway.store.open import open_stage

    if shadow is not None and not targets:
        raise click.UsageError("--shadow needs the targets that it is beside, too")
    configured = settings.load(Path.cwd())
    chosen = cast("Stage", stage)
    if targets:
        store = open_stage(configured, chosen)
        catalog = Catalog(store, chosen)
        made = aliases.Alias(
            tuple(_variants(catalog, name, targets)),
            None if shadow is None else catalog.resolve(name, shadow),
        )
        for target in dict.fromkeys((*made.targets, made.shadow)):
            if target is not None:
                refuse_damaged(store, chosen, catalog.record(name, target))
        serve(store, chosen, name, made, "alias", origin(configured.root), reason)
    else:
        with working(f"reading the alias of {name}"):
            made = Catalog(open_stage(configured, chosen), chosen).alias(name)
    if as_json:
        click.echo(json.dumps({"name": name, "stage": stage} | dump(made)))
        return
    for line in lines(made):
        click.echo(line)


def dump(shown: Alias) -> dict[str, object]:
    """The same keys whatever it stands for, unlike what is stored."""
    return {
        "target": shown.target,
        "variants": [{"target": v.target, "weight": v.weight} for v in shown.variants],
        "shadow": shown.shadow,
    }


def lines(shown: Alias) -> list[str]:
    """Each variant's share and target model, then the shadow, as people read them."""
    total = sum(variant.weight for variant in shown.variants)
    shares = [f"{100 * variant.weight / total:.3g} %" for variant in shown.variants]
    said = [f"{share:>6}  {v.target}" for share, v in zip(shares, shown.variants, strict=True)]
    return said + ([f"shadow  {shown.shadow}"] if shown.shadow is not None else [])


def _variants(catalog: Catalog, name: str, words: Sequence[str]) -> list[Variant]:
    from slipway.catalog.alias import Variant

    split = [word.rpartition("=") if "=" in word else (word, "", "") for word in words]
    given = [weight for _, _, weight in split]
    if any(given) and not all(weight.isdecimal() for weight in given):
        raise SlipwayError(
            f"{' '.join(words)}: a weight is missing, or no whole number",
            fix=f"give every target one, such as {split[0][0]}=90, or none for even shares",
        )
    return [Variant(catalog.resolve(name, word), int(weight or 1)) for word, _, weight in split]
