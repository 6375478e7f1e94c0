"""``slipway alias``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from slipway.cli.models import name_argument
from slipway.cli.options import STAGES, json_option, renamed_option, stage_option
from slipway.cli.progress import working
from slipway.errors import SlipwayError

if TYPE_CHECKING:
    from slipway.catalog.alias import Alias
    from slipway.settings.release import StageName


@click.command()
@name_argument
@click.argument("releases", nargs=-1, metavar="[RELEASE[=WEIGHT]]...")
@click.option(
    "--shadow",
    metavar="RELEASE",
    help="Invoke this release in parallel; its answer is compared, never returned.",
)
@stage_option("Set or show the alias of this stage.", default="staging")
@renamed_option("--to", "--stage", "stage", type=click.Choice(STAGES))
@click.option("--reason", metavar="TEXT", help="Why the alias moves, for slipway history.")
@json_option("Print the alias as one JSON object.")
def alias(
    name: str,
    releases: tuple[str, ...],
    shadow: str | None,
    stage: str,
    reason: str | None,
    as_json: bool,
) -> None:
    """Show or set the releases that a model's alias serves.

    RELEASE is a target model, its release version, or another part of its key that fits one release
    only. Several releases share the requests by their weights. The next publish, promote or
    rollback of NAME makes the alias serve one release again.

    Example: slipway alias screen_detection 1.0.0=90 1.1.0=10 --stage production
    """
    from slipway import settings
    from slipway.catalog.alias import Alias, Variant
    from slipway.catalog.alias_move import move_alias
    from slipway.catalog.catalog import Catalog
    from slipway.catalog.origin import current_origin
    from slipway.release.base_environments import require_base_environment
    from slipway.release.damage import reject_damaged
    from slipway.store.open import open_stage

    if shadow is not None and not releases:
        raise click.UsageError("--shadow needs the releases that the alias serves, too")
    weights = _weights(releases)
    configured = settings.load(Path.cwd())
    store = open_stage(configured, cast("StageName", stage))
    catalog = Catalog(store)
    if releases:
        alias = Alias(
            tuple(Variant(catalog.resolve(name, text), weight) for text, weight in weights),
            None if shadow is None else catalog.resolve(name, shadow),
        )
        for target in dict.fromkeys((*alias.targets, alias.shadow)):
            if target is not None:
                record = catalog.record(name, target)
                reject_damaged(store, record)
                require_base_environment(record.manifest, target, configured.stage(store.name))
        origin = current_origin(configured.root)
        move_alias(store, name, alias, "alias", origin, reason, repair=True)
    else:
        with working(f"reading the alias of {name}"):
            alias = catalog.alias(name)
    if as_json:
        click.echo(json.dumps({"name": name, "stage": stage} | dump(alias)))
        return
    for line in lines(alias):
        click.echo(line)


def dump(alias: Alias) -> dict[str, object]:
    """Return an alias for JSON, with the same keys for one release and for several."""
    return {
        "target": alias.target,
        "variants": [{"target": v.target, "weight": v.weight} for v in alias.variants],
        "shadow": alias.shadow,
    }


def lines(alias: Alias) -> list[str]:
    """Return a line for each variant's share and target model, then one for the shadow."""
    total = sum(variant.weight for variant in alias.variants)
    variants = [f"{100 * v.weight / total:>4.3g} %  {v.target}" for v in alias.variants]
    return variants + ([f"shadow  {alias.shadow}"] if alias.shadow is not None else [])


def _weights(releases: Sequence[str]) -> list[tuple[str, int]]:
    """Split each ``RELEASE=WEIGHT``; without weights, all releases have the same.

    Raises:
        SlipwayError: some weights are missing, or are not whole numbers.
    """
    parts = [text.rpartition("=") if "=" in text else (text, "", "") for text in releases]
    weights = [weight for _, _, weight in parts]
    if any(weights) and not all(weight.isdecimal() for weight in weights):
        raise SlipwayError(
            f"{' '.join(releases)}: a weight is missing, or not a whole number",
            fix=f"give every release a weight, such as {parts[0][0]}=90, or none for even shares",
        )
    return [(release, int(weight or 1)) for release, _, weight in parts]
