"""What a name stands for: one target model, or several by weight, and one that shadows them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate

from slipway.catalog import keys
from slipway.catalog.keys import Stage
from slipway.errors import SlipwayError
from slipway.store.interface import Reader, Store

POINTS = 1 << 53  # as many as a float tells apart below 1


@dataclass(frozen=True)
class Variant:
    """A target model, and how many of the weights' sum of all invocations it answers."""

    target: str
    weight: int


@dataclass(frozen=True)
class Alias:
    """``variants`` share the invocations; ``shadow`` gets each one beside, and is never returned.

    Raises:
        SlipwayError: there is no variant, one twice, a weight below 1, or a shadow among them.
    """

    variants: tuple[Variant, ...]
    shadow: str | None = None

    def __post_init__(self) -> None:
        targets = [variant.target for variant in self.variants]
        wrong = [variant for variant in self.variants if variant.weight < 1]
        if not targets:
            raise SlipwayError("an alias without a target model", fix="name at least one")
        if wrong:
            raise SlipwayError(
                f"the weight of {wrong[0].target} is {wrong[0].weight}",
                fix="weights are whole numbers from 1; leave out what shall not be invoked",
            )
        for target in targets:
            if targets.count(target) > 1:
                raise SlipwayError(f"{target} is named twice", fix="add its weights up")
        if self.shadow in targets:
            raise SlipwayError(
                f"{self.shadow} is a variant, and its own shadow", fix="name another shadow"
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

    def choose(self, point: float) -> str:
        """The target model at ``point``, 0 ≤ point < 1: of many even points, each variant gets the
        share that its weight is of the sum."""
        total = sum(variant.weight for variant in self.variants)
        ends = accumulate(variant.weight for variant in self.variants)
        # a quotient, not a product: i/n < c/n holds in floats exactly where i < c
        return next(
            variant.target for variant, end in zip(self.variants, ends) if point < end / total
        )

    def choose_for(self, key: str) -> str:
        """The target model for everything with this ``key``, such as a user's id: always the same.

        If a weight changes and the order stays, only the keys move that have to.
        """
        digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
        return self.choose((int.from_bytes(digest[:8], "big") >> 11) / POINTS)

    def __str__(self) -> str:
        """Its target model, or every variant with its share, and the shadow."""
        total = sum(variant.weight for variant in self.variants)
        shares = [f"{v.target} ({100 * v.weight / total:.3g} %)" for v in self.variants]
        said = self.target if len(shares) == 1 else ", ".join(shares)
        return said if self.shadow is None else f"{said}, shadowed by {self.shadow}"

    def dump(self) -> bytes:
        """As JSON, which :func:`parse` reads."""
        said: dict[str, object] = {"target": self.target}
        if len(self.variants) > 1:
            said["variants"] = [
                {"target": variant.target, "weight": variant.weight} for variant in self.variants
            ]
        if self.shadow is not None:
            said["shadow"] = self.shadow
        return keys.dump(said)


def to(target: str) -> Alias:
    """The alias of one target model."""
    return Alias((Variant(target, 1),))


def parse(data: bytes, *, where: str | None = None) -> Alias:
    """What :meth:`Alias.dump` gave, but for the weight of a single variant, which is 1.

    Raises:
        SlipwayError: it is none; ``where`` is named.
    """
    try:
        said = json.loads(data)
        if "variants" in said:
            variants = [Variant(str(v["target"]), int(v["weight"])) for v in said["variants"]]
        else:
            variants = [Variant(str(said["target"]), 1)]
        shadow = said.get("shadow")
        return Alias(tuple(variants), None if shadow is None else str(shadow))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SlipwayError(
            f"the alias is damaged: {error!r}", where=where, fix="slipway alias <name> <target>"
        ) from error


def move(
    store: Store,
    stage: Stage,
    name: str,
    alias: Alias,
    *,
    allow: Callable[[Alias | None], None] = lambda _: None,
) -> Alias | None:
    """Let ``name`` stand for ``alias``; what it stood for before. Of two movers at once, one comes
    after the other.

    ``allow`` is called with what the name stands for right before it is replaced, and stops the
    move by what it raises; whoever moves it in between is seen, and ``allow`` called again.

    Raises:
        SlipwayError: a target model of it was never released in ``stage``, or is being pruned;
            names those that can be served.
    """
    targets = [variant.target for variant in alias.variants]
    targets += [] if alias.shadow is None else [alias.shadow]
    for target in targets:
        _refuse_unreleased(store, stage, name, target)
    key, wanted = keys.alias(stage, name), alias.dump()
    while (before := store.read(key)) != wanted:
        parsed = None if before is None else parse(before, where=key)
        allow(parsed)
        if store.swap(key, before, wanted):
            break
    # who prunes marks a release before looking at the alias: one of both sees the other
    for target in targets:
        try:
            _refuse_unreleased(store, stage, name, target)
        except SlipwayError:
            if before is not None:
                store.swap(key, wanted, before)
            elif store.read(key) == wanted:
                store.delete(key)
            raise
    return None if before is None else parse(before, where=key)


def _refuse_unreleased(reader: Reader, stage: Stage, name: str, target: str) -> None:
    recorded = reader.stat(keys.record(stage, name, target)) is not None
    gone = reader.stat(keys.pruned(stage, name, target)) is not None
    if recorded and not gone:
        return
    prefix = keys.records(stage, name)
    known = [
        key.removeprefix(prefix).removesuffix(keys.RECORD)
        for key in reader.keys(prefix)
        if key.endswith(keys.RECORD)
    ]
    others = [one for one in known if one != target]
    why = "was pruned" if gone else f"is not a release of {name} in {stage}"
    raise SlipwayError(
        f"{target} {why}",
        where=keys.alias(stage, name),
        fix=f"one of {', '.join(others)}" if others else f"slipway publish models/{name}",
    )
