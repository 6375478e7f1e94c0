"""An alias shares invocations by weight, sticks to a key, and is moved without losing a move."""

from __future__ import annotations

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.catalog import alias as aliases
from slipway.catalog import keys
from slipway.catalog.alias import Alias, Variant
from slipway.errors import SlipwayError
from slipway.store.directory import DirectoryStore
from slipway.store.stage import StageStore

TARGETS = st.text(min_size=1, max_size=40)


@st.composite
def any_alias(draw: st.DrawFn, most: int = 1000) -> Alias:
    targets = draw(st.lists(TARGETS, min_size=1, max_size=5, unique=True))
    weights = st.integers(1, most)
    variants = [Variant(target, draw(weights) if len(targets) > 1 else 1) for target in targets]
    shadow = draw(st.none() | TARGETS.filter(lambda target: target not in targets))
    return Alias(tuple(variants), shadow)


@pytest.fixture
def store(tmp_path: Path) -> DirectoryStore:
    made = DirectoryStore(tmp_path)
    for target in ("tiny_1.0.0.tar.gz", "tiny_1.1.0.tar.gz", "tiny_2.0.0.tar.gz"):
        made.create(keys.record("staging", "tiny", target), b"{}")
    return made


@given(any_alias())
def test_what_is_dumped_is_parsed_again(alias: Alias) -> None:
    assert aliases.parse_alias(alias.dump()) == alias


def test_an_alias_of_one_target_is_stored_as_it_always_was() -> None:
    assert json.loads(aliases.single_target("tiny_1.0.0.tar.gz").dump()) == {
        "target": "tiny_1.0.0.tar.gz"
    }
    assert Alias((Variant("a", 7),)).target == "a"


@given(any_alias(most=20), st.integers(1, 7))
def test_of_even_points_each_variant_gets_exactly_its_share(alias: Alias, times: int) -> None:
    total = times * sum(variant.weight for variant in alias.variants)
    chosen = Counter(alias.choose(i / total) for i in range(total))
    assert chosen == {variant.target: times * variant.weight for variant in alias.variants}


@given(any_alias(), st.floats(0, 1, exclude_max=True))
def test_every_point_below_1_chooses_a_variant(alias: Alias, point: float) -> None:
    assert alias.choose(point) in {variant.target for variant in alias.variants}


@given(any_alias(), st.text())
def test_a_key_sticks_to_its_variant(alias: Alias, key: str) -> None:
    again = aliases.parse_alias(alias.dump())
    assert alias.choose_for(key) == again.choose_for(key)


def test_of_ten_thousand_keys_each_variant_gets_about_its_share() -> None:
    alias = Alias((Variant("a", 90), Variant("b", 10)))
    chosen = Counter(alias.choose_for(f"user-{number}") for number in range(10_000))
    assert abs(chosen["b"] - 1000) < 120  # four standard deviations


def test_a_changed_weight_moves_only_the_keys_that_have_to_move() -> None:
    users = [f"user-{number}" for number in range(2000)]
    before, after = (Alias((Variant("a", 100 - b), Variant("b", b))) for b in (10, 30))
    of_b = {user for user in users if before.choose_for(user) == "b"}
    assert of_b < {user for user in users if after.choose_for(user) == "b"}


def test_the_heaviest_variant_is_the_main_one_and_the_first_among_equals() -> None:
    assert Alias((Variant("a", 1), Variant("b", 2), Variant("c", 2))).target == "b"


@pytest.mark.parametrize(
    ("variants", "shadow", "what"),
    [
        ((), None, "without a target"),
        ((Variant("a", 0),), None, "the weight of a is 0"),
        ((Variant("a", 1), Variant("a", 2)), None, "a is named twice"),
        ((Variant("a", 1), Variant("b", 2)), "b", "its own shadow"),
    ],
)
def test_an_alias_that_makes_no_sense_is_refused_with_a_fix(
    variants: tuple[Variant, ...], shadow: str | None, what: str
) -> None:
    with pytest.raises(SlipwayError, match=what) as caught:
        Alias(variants, shadow)
    assert caught.value.fix


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"{}", b'"text"', b'{"target": "a", "variants": [{"target": "a"}]}', b"\xff"]
    + [b'{"target": "a", "variants": 3}', b'{"target": "a", "variants": [["a", 1]]}'],
)
def test_a_damaged_alias_is_named(data: bytes) -> None:
    with pytest.raises(SlipwayError, match="the alias is damaged") as caught:
        aliases.parse_alias(data, where="staging/catalog/tiny/alias.json")
    assert caught.value.where == "staging/catalog/tiny/alias.json" and caught.value.fix


def test_an_alias_moves_only_to_what_was_released(store: DirectoryStore) -> None:
    weighted = Alias((Variant("tiny_1.0.0.tar.gz", 9), Variant("tiny_1.1.0.tar.gz", 1)))
    aliases.write_alias(StageStore(store, "staging"), "tiny", weighted)
    for wrong in (
        aliases.single_target("tiny_3.0.0.tar.gz"),
        Alias(weighted.variants, shadow="tiny_3.0.0.tar.gz"),
    ):
        with pytest.raises(SlipwayError, match="3.0.0.tar.gz is not a release of tiny") as caught:
            aliases.write_alias(StageStore(store, "staging"), "tiny", wrong)
        assert caught.value.fix and "tiny_2.0.0.tar.gz" in caught.value.fix
    assert store.read(keys.alias("staging", "tiny")) == weighted.dump()
    with pytest.raises(SlipwayError) as caught:
        aliases.write_alias(StageStore(store, "production"), "tiny", weighted)
    assert caught.value.fix == "slipway publish models/tiny"


class Recorded(DirectoryStore):
    """A store that remembers each swap that was made, and lets a rival move before the first."""

    def __init__(self, root: Path, rival: bytes | None) -> None:
        super().__init__(root)
        self.rival = rival
        self.swaps: list[tuple[bytes | None, bytes]] = []

    def swap(self, key: str, expected: bytes | None, data: bytes) -> bool:
        if self.rival is not None:
            assert super().swap(key, self.read(key), self.rival)
            self.rival = None
        made = super().swap(key, expected, data)
        if made:
            self.swaps.append((expected, data))
        return made


def test_a_mover_who_was_overtaken_moves_after_the_other(
    store: DirectoryStore, tmp_path: Path
) -> None:
    rival, mine = aliases.single_target("tiny_1.0.0.tar.gz"), aliases.single_target(
        "tiny_2.0.0.tar.gz"
    )
    recorded = Recorded(tmp_path, rival.dump())
    aliases.write_alias(StageStore(recorded, "staging"), "tiny", mine)
    assert recorded.swaps == [(rival.dump(), mine.dump())]


def test_of_many_movers_at_once_each_comes_after_another(
    store: DirectoryStore, tmp_path: Path
) -> None:
    recorded = Recorded(tmp_path, None)
    pair = ("tiny_1.0.0.tar.gz", "tiny_1.1.0.tar.gz")
    wanted = [Alias((Variant(pair[0], n), Variant(pair[1], 100 - n))) for n in range(1, 33)]
    with ThreadPoolExecutor(8) as pool:
        list(
            pool.map(
                lambda alias: aliases.write_alias(StageStore(recorded, "staging"), "tiny", alias),
                wanted,
            )
        )
    made = dict(recorded.swaps)
    assert len(made) == len(recorded.swaps) == len(wanted)
    chain, last = [], made.get(None)
    while last is not None:
        chain.append(last)
        last = made.get(last)
    assert sorted(chain) == sorted(alias.dump() for alias in wanted)
    assert recorded.read(keys.alias("staging", "tiny")) == chain[-1]
