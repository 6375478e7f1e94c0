"""The part of a release version that a change calls for, judged by real artifacts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import semver
from hypothesis import given
from hypothesis import strategies as st

from slipway.artifact.artifact import Artifact
from slipway.artifact.manifest import Manifest
from slipway.catalog.catalog import Catalog
from slipway.model.interface import Interface, Tensor
from slipway.release.publish import publish
from slipway.release.versioning import propose
from slipway.release.versioning.compatibility import PARTS, VersionPart
from slipway.release.versioning.propose import ComparedRelease, Proposal
from slipway.store.directory import DirectoryStore
from slipway.store.stage import StageStore
from tests.artifact.samples import packed, write_environment, write_model


def make(
    folder: Path,
    change: Callable[[Path], object] = lambda model: None,
    *,
    weights: bytes = b"weights",
    numpy: str = "1.26.4",
) -> Artifact:
    """The artifact of the model ``tiny``, changed."""
    model = write_model(folder / "checkout", weights)
    change(model)
    return packed(model, write_environment(folder / "environment", numpy))


def edit(file: str, old: str, new: str) -> Callable[[Path], object]:
    def change(model: Path) -> None:
        path = model / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    return change


def add(file: str, text: str) -> Callable[[Path], object]:
    return lambda model: (model / file).write_text(text)


PIPELINE, PRE = "tiny_pipeline/config.pbtxt", "tiny_preprocessing/config.pbtxt"
CODE = "tiny_preprocessing/1/model.py"


def proposed(tmp_path: Path, change: Callable[[Path], object], **made: Any) -> Proposal:
    before = propose.from_artifact(make(tmp_path / "before"))
    return propose.propose_version(
        before, propose.from_artifact(make(tmp_path / "after", change, **made))
    )


def nothing(model: Path) -> None:
    pass


@pytest.mark.parametrize(
    ("change", "made", "part", "version", "reason"),
    [
        (nothing, {}, None, "1.2.0", None),
        (add("model_version.txt", "1.4.0\n"), {}, None, "1.2.0", None),
        (add("README.md", "words"), {}, None, "1.2.0", None),
        (edit(CODE, "pass", "x = 1"), {}, "patch", "1.2.1", f"code {CODE} changed"),
        (add("tiny_preprocessing/1/more.py", ""), {}, "patch", "1.2.1", "more.py is new"),
        (nothing, {"numpy": "2.0.0"}, "patch", "1.2.1", "numpy 1.26.4 (pip) → 2.0.0 (pip)"),
        (edit(PRE, "# a comment", "# another"), {}, "patch", "1.2.1", "how its config is written"),
        (nothing, {"weights": b"others"}, "minor", "1.3.0", "weights tiny_inferencer/1/model.onnx"),
        (add("tiny_postprocessing/1/threshold.json", "1"), {}, "minor", "1.3.0", "threshold.json"),
        (
            edit(PRE, "FP32 dims: [ 1 ] } ]\n#", "FP32 dims: [ -1 ] } ]\n#"),
            {},
            "minor",
            "1.3.0",
            "",
        ),
        (edit(PIPELINE, "batch_size: 8", "batch_size: 9"), {}, "minor", "1.3.0", "8 → 9"),
        (edit(PIPELINE, "batch_size: 8", "batch_size: 4"), {}, "major", "2.0.0", "8 → 4"),
        (edit(PIPELINE, '{ name: "IN"', '{ name: "X"'), {}, "major", "2.0.0", "was renamed to 'X'"),
    ],
)
def test_a_change_calls_for_a_part_and_says_why(
    tmp_path: Path,
    change: Callable[[Path], object],
    made: dict[str, Any],
    part: VersionPart | None,
    version: str,
    reason: str | None,
) -> None:
    found = proposed(tmp_path, change, **made)
    assert (found.part, found.version) == (part, version)
    if reason is None:
        assert found.reasons == ()
    else:
        assert found.reasons[0].part == part and reason in found.reasons[0].what


def test_the_weightiest_reason_comes_first(tmp_path: Path) -> None:
    def change(model: Path) -> None:
        edit(CODE, "pass", "x = 1")(model)
        edit(PIPELINE, "batch_size: 8", "batch_size: 4")(model)

    found = proposed(tmp_path, change, weights=b"others")
    assert [reason.part for reason in found.reasons] == ["major", "minor", "patch"]


def test_a_composing_model_more_is_minor(tmp_path: Path) -> None:
    def change(model: Path) -> None:
        old = model / "tiny_postprocessing"
        old.rename(model / "tiny_answers")
        edit("tiny_answers/config.pbtxt", "tiny_postprocessing", "tiny_answers")(model)
        edit(PIPELINE, "tiny_postprocessing", "tiny_answers")(model)

    found = proposed(tmp_path, change)
    said = {reason.what for reason in found.reasons if reason.part == "minor"}
    assert {"model tiny_answers is new", "model tiny_postprocessing is gone"} <= said
    assert found.part == "minor"


class Counting(DirectoryStore):
    """A store that notes which artifacts were opened."""

    opened: list[str]

    def open(self, key: str) -> Any:
        self.opened.append(key)
        return super().open(key)


def test_a_release_is_only_opened_if_a_config_changed(tmp_path: Path) -> None:
    store = Counting(tmp_path / "store")
    store.opened = []
    publish(make(tmp_path / "before"), StageStore(store, "production"))
    record = Catalog(StageStore(store, "production")).record("tiny", "tiny_1.2.0.tar.gz")
    side = propose.from_record(StageStore(store, "production"), record)

    other = propose.from_artifact(make(tmp_path / "weights", weights=b"others"))
    assert propose.propose_version(side, other).part == "minor"
    assert store.opened == []

    other = propose.from_artifact(make(tmp_path / "config", edit(PIPELINE, "size: 8", "size: 4")))
    assert propose.propose_version(side, other).part == "major"
    assert store.opened == ["production/models/tiny_1.2.0.tar.gz"]


def test_of_a_release_whose_artifact_is_gone_the_interface_is_known(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path / "store")
    publish(make(tmp_path / "before"), StageStore(store, "production"))
    record = Catalog(StageStore(store, "production")).record("tiny", "tiny_1.2.0.tar.gz")
    store.delete("production/models/tiny_1.2.0.tar.gz")
    side = propose.from_record(StageStore(store, "production"), record)
    other = propose.from_artifact(make(tmp_path / "after", edit(PIPELINE, "size: 8", "size: 4")))
    found = propose.propose_version(side, other)
    assert (found.part, found.reasons[0].what) == ("major", "max_batch_size 8 → 4")
    other = propose.from_artifact(make(tmp_path / "pre", edit(PRE, "# a", "# another")))
    found = propose.propose_version(side, other)
    assert found.part == "minor" and "was pruned" in found.reasons[0].what


# the laws: manifests and configs are changed one thing at a time

TEXT = """max_batch_size: {size} backend: "python"
input {{ name: "{input}" data_type: TYPE_FP32 dims: 1 }}
output {{ name: "OUT" data_type: TYPE_FP32 dims: 1 }}
parameters {{ key: "K" value {{ string_value: "{k}" }} }}
"""
PLAIN = {"size": "8", "input": "IN", "k": "1"}
CHANGES = ("size", "input", "k", "code", "data", "weights", "package", "builder")
CALLS: dict[str, VersionPart] = {
    "size": "major",
    "input": "major",
    "k": "minor",
    "data": "minor",
    "weights": "minor",
    "code": "patch",
    "package": "patch",
    "builder": "patch",
}


def changed(changes: set[str], version: str = "1.2.3") -> ComparedRelease:
    """A model of one directory, with these things changed."""
    values = PLAIN | {k: v for k, v in (("size", "4"), ("input", "X"), ("k", "2")) if k in changes}
    text = TEXT.format(**values)
    package = {"name": "numpy", "version": str("package" in changes), "source": "pip"}
    made = Manifest(
        name="m",
        version=version,
        serves="m",
        sources={
            "m/config.pbtxt": text,
            "m/1/model.py": str("code" in changes),
            "m/1/labels.json": str("data" in changes),
        },
        weights={"m/1/w.onnx": {"md5": str("weights" in changes), "size": 1}},
        environment={"packages": [package]},
        builder=str("builder" in changes),
    )
    interface = Interface(8, {"IN": Tensor("FP32", (1,))}, {"OUT": Tensor("FP32", (1,))})
    return ComparedRelease(made, interface, lambda: {"m": text})


SETS = st.sets(st.sampled_from(CHANGES))
VERSIONS = st.tuples(
    st.integers(0, 3), st.integers(0, 3), st.integers(0, 3), st.sampled_from(["", "-rc.1", "-a"])
).map(lambda parts: "{}.{}.{}{}".format(*parts))


def rank(part: VersionPart | None) -> int:
    return -1 if part is None else PARTS.index(part)


@given(SETS)
def test_the_part_is_the_highest_that_any_change_calls_for(changes: set[str]) -> None:
    found = propose.propose_version(changed(set()), changed(changes))
    assert rank(found.part) == max((rank(CALLS[change]) for change in changes), default=-1)


@given(SETS, SETS)
def test_more_changes_never_call_for_less(one: set[str], more: set[str]) -> None:
    less = propose.propose_version(changed(set()), changed(one))
    assert rank(less.part) <= rank(
        propose.propose_version(changed(set()), changed(one | more)).part
    )


@given(SETS, SETS, VERSIONS)
def test_what_is_proposed_is_higher_exactly_if_something_changed(
    before: set[str], after: set[str], version: str
) -> None:
    found = propose.propose_version(changed(before, version), changed(after))
    higher = semver.Version.parse(found.version) > semver.Version.parse(version)
    assert higher is (found.part is not None) is bool(before ^ after)


@given(SETS)
def test_a_change_and_its_way_back_call_for_something_or_nothing_alike(changes: set[str]) -> None:
    there = propose.propose_version(changed(set()), changed(changes))
    back = propose.propose_version(changed(changes), changed(set()))
    assert (there.part is None) is (back.part is None)
    if "size" not in changes:  # a larger batch is no break, a smaller one is
        assert there.part == back.part


@given(st.sampled_from(PARTS), VERSIONS)
def test_the_next_version_raises_that_part_and_resets_the_lower_ones(
    part: VersionPart, version: str
) -> None:
    before = semver.Version.parse(version)
    after = propose.next_version(before, part)
    assert after > before and after.prerelease is None
    assert part == "patch" or after.patch == 0
    assert part != "major" or after.minor == 0


def test_manifests_from_before_there_was_an_environment_are_compared_too() -> None:
    before, after = changed(set()), changed(set())
    bare = replace(before, manifest=replace(before.manifest, environment=None))
    assert propose.propose_version(bare, bare).part is None
    found = propose.propose_version(bare, after)
    assert (found.part, found.reasons[0].what) == ("patch", "package numpy — → False (pip)")
