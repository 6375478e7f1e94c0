"""An alias: the target model that a name serves, or several by weight, and their shadow."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate

from slipway.catalog import keys
from slipway.errors import SlipwayError
from slipway.settings.release import StageName
from slipway.store.stage import StageReader, StageStore


class DamagedAlias(SlipwayError):
    """A stored alias cannot be parsed. ``slipway rollback`` and ``slipway alias`` replace it."""


REPLACE = "slipway alias NAME RELEASE"
POINTS = 1 << 53  # as many as a float can distinguish below 1


@dataclass(frozen=True)
class Variant:
    """A target model, and its weight: its share of all invocations is this part of the sum."""

    target: str
    weight: int


@dataclass(frozen=True)
class Alias:
    """``variants`` share the invocations. ``shadow`` gets each invocation in parallel, and its
    answer is never returned.

    Raises:
        SlipwayError: there is no variant, one twice, a weight below 1, or a shadow among them.
    """

    variants: tuple[Variant, ...]
    shadow: str | None = None

    def __post_init__(self) -> None:
        targets = [variant.target for variant in self.variants]
        invalid = [variant for variant in self.variants if variant.weight < 1]
        if not targets:
            raise SlipwayError("an alias without a target model", fix="name at least one")
        if invalid:
            raise SlipwayError(
                f"the weight of {invalid[0].target} is {invalid[0].weight}",
                fix="weights are integers from 1; leave out what must not be invoked",
            )
        for target in targets:
            if targets.count(target) > 1:
                raise SlipwayError(f"{target} is named twice", fix="add its weights up")
        if self.shadow in targets:
            raise SlipwayError(
                f"{self.shadow} is a variant and its own shadow", fix="name another shadow"
            )

    @property
    def target(self) -> str:
        """The heaviest variant's target model, the first among equals."""
        return max(self.variants, key=lambda variant: variant.weight).target

    @property
    def targets(self) -> tuple[str, ...]:
        """The variants' target models, the heaviest first."""
        ordered = sorted(self.variants, key=lambda variant: -variant.weight)
        return tuple(variant.target for variant in ordered)

    @property
    def all_targets(self) -> tuple[str, ...]:
        """The variants' target models, the heaviest first, then the shadow."""
        return self.targets if self.shadow is None else (*self.targets, self.shadow)

    def choose(self, point: float) -> str:
        """Return the target model at ``point``, 0 ≤ point < 1. Of many evenly spread points, each
        variant gets the share that its weight is of the sum."""
        total = sum(variant.weight for variant in self.variants)
        ends = accumulate(variant.weight for variant in self.variants)
        # a quotient, not a product: i/n < c/n holds in floats exactly where i < c
        return next(
            variant.target for variant, end in zip(self.variants, ends) if point < end / total
        )

    def choose_for(self, key: str) -> str:
        """Return the target model for everything with this ``key``, such as a user's id. It is
        always the same.

        If a weight changes and the order stays, only the necessary keys change their target.
        """
        digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
        return self.choose((int.from_bytes(digest[:8], "big") >> 11) / POINTS)

    def __str__(self) -> str:
        """Return the target model, or every variant with its share, and the shadow."""
        total = sum(variant.weight for variant in self.variants)
        shares = [f"{v.target} ({100 * v.weight / total:.3g} %)" for v in self.variants]
        text = self.target if len(shares) == 1 else ", ".join(shares)
        return text if self.shadow is None else f"{text}, shadowed by {self.shadow}"

    def dump(self) -> bytes:
        """Return the alias as JSON, which :func:`parse_alias` reads."""
        values: dict[str, object] = {"target": self.target}
        if len(self.variants) > 1:
            values["variants"] = [
                {"target": variant.target, "weight": variant.weight} for variant in self.variants
            ]
        if self.shadow is not None:
            values["shadow"] = self.shadow
        return keys.dump_json(values)


def single_target(target: str) -> Alias:
    """Return the alias of one target model."""
    return Alias((Variant(target, 1),))


def parse_alias(data: bytes, *, where: str | None = None, fix: str = REPLACE) -> Alias:
    """Return the alias that :meth:`Alias.dump` wrote; a single variant has the weight 1.

    Raises:
        DamagedAlias: ``data`` is not an alias; names ``where`` and ``fix``.
    """
    try:
        values = json.loads(data)
        if "variants" in values:
            variants = [Variant(_text(v["target"]), int(v["weight"])) for v in values["variants"]]
        else:
            variants = [Variant(_text(values["target"]), 1)]
        shadow = values.get("shadow")
        return Alias(tuple(variants), None if shadow is None else _text(shadow))
    except SlipwayError as error:
        raise DamagedAlias(f"the alias is damaged: {error.what}", where=where, fix=fix) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DamagedAlias(f"the alias is damaged: {error!r:.200}", where=where, fix=fix) from error


def damaged_fix(stage: StageName, name: str) -> str:
    """Return the commands that replace a damaged alias: by what was served last, or by another."""
    return (
        f"slipway rollback {name} --stage {stage} serves the last release again;"
        f" slipway alias {name} RELEASE --stage {stage} another"
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no target model")
    return value


def write_alias(
    stage: StageStore,
    name: str,
    alias: Alias,
    *,
    check: Callable[[Alias | None], None] = lambda _: None,
    repair: bool = False,
    begin: Callable[[], object] = lambda: None,
) -> Alias | None:
    """Replace the alias of ``name``; return the alias before. Of two calls at once, one comes after
    the other.

    With ``repair`` a damaged alias is replaced as if there was none. ``check`` is called with the
    current alias right before it is replaced, and prevents that by raising. If another call
    replaces the alias in between, ``check`` is called again. ``begin`` is called before anything is
    written.

    Raises:
        SlipwayError: a target model of it was never released in the stage, or is being pruned;
            names those that can be served. Or the alias is damaged.
    """
    for target in alias.all_targets:
        _require_release(stage, name, target)
    store, key, data = stage.store, keys.alias(stage.name, name), alias.dump()

    def parse(stored: bytes | None) -> Alias | None:
        try:
            fix = damaged_fix(stage.name, name)
            return None if stored is None else parse_alias(stored, where=key, fix=fix)
        except DamagedAlias:
            if repair:
                return None
            raise

    while (before := store.read(key)) != data:
        check(parse(before))
        begin()
        if store.swap(key, before, data):
            break
    # prune marks a release before it looks at the alias: one of both sees the other
    for target in alias.all_targets:
        try:
            _require_release(stage, name, target)
        except SlipwayError:
            if before is not None:
                store.swap(key, data, before)
            elif store.read(key) == data:
                store.delete(key)
            raise
    return parse(before)


def _require_release(stage: StageReader, name: str, target: str) -> None:
    recorded = stage.store.stat(keys.record(stage.name, name, target)) is not None
    pruned = stage.store.stat(keys.tombstone(stage.name, name, target)) is not None
    if recorded and not pruned:
        return
    prefix = keys.records(stage.name, name)
    targets = [
        key.removeprefix(prefix).removesuffix(keys.RECORD)
        for key in stage.store.keys(prefix)
        if key.endswith(keys.RECORD)
    ]
    others = [other for other in targets if other != target]
    why = "was pruned" if pruned else f"is not a release of {name} in {stage.name}"
    raise SlipwayError(
        f"{target} {why}",
        where=keys.alias(stage.name, name),
        fix=f"one of {', '.join(others)}" if others else f"slipway publish models/{name}",
    )
