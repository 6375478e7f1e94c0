"""Verifying reads every byte, and names each thing that is not as it was published."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from slipway import settings as configuration
from slipway.archive.writer import TarGzWriter
from slipway.artifact import manifest
from slipway.catalog import keys
from slipway.catalog import record as records
from slipway.catalog.alias import Alias, Variant
from slipway.catalog.alias_move import move_alias
from slipway.errors import SlipwayError
from slipway.release.verify import SelectedRelease, select_releases, verify
from slipway.settings import Settings
from slipway.store.open import open_stage
from tests.release import sample_releases
from tests.release.sample_releases import DEV, create_repository, promote_samples, publish_sample
from tests.store.readable_stores import BucketStore

TARGET = "m_1.0.0.tar.gz"
THIS = SelectedRelease("production", "m", TARGET)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = create_repository(tmp_path / "repository")
    promote_samples(made, "1.0.0")
    return made


def artifact(settings: Settings) -> Path:
    return settings.root / "store/production/models" / TARGET


def problems(settings: Settings, asked: SelectedRelease = THIS) -> tuple[str, ...]:
    return verify(settings, asked).problems


def rewrite(settings: Settings, members: dict[str, bytes]) -> None:
    """Put other bytes in the artifact's place, and make its record's digest theirs."""
    path = artifact(settings)
    with path.open("wb") as file, TarGzWriter(file) as writer:
        for name, data in members.items():
            writer.add_bytes(name, data)
    key = keys.record("production", "m", TARGET)
    store = open_stage(settings, "production")
    before = store.store.read(key) or b""
    said = json.loads(before)
    said |= {"sha256": sample_releases.sha256(path), "size": path.stat().st_size}
    assert store.store.swap(key, before, keys.dump_json(said))


def members(settings: Settings) -> dict[str, bytes]:
    from slipway.archive.reader import open_tar

    found = {}
    with open_tar(artifact(settings)) as tar:
        for member in tar:
            stream = tar.extractfile(member) if member.isfile() else None
            if stream is not None:
                found[member.name] = stream.read()
    return found


def test_a_release_as_it_was_published_has_no_problem(settings: Settings) -> None:
    read: list[int] = []
    found = verify(settings, THIS, read.append)
    assert found.problems == () and found.size == artifact(settings).stat().st_size
    assert sum(read) == found.size


def test_any_byte_that_changed_is_found(settings: Settings) -> None:
    whole = artifact(settings).read_bytes()
    for readable_store in range(0, len(whole), 97):
        artifact(settings).write_bytes(
            whole[:readable_store]
            + bytes([whole[readable_store] ^ 0x55])
            + whole[readable_store + 1 :]
        )
        assert any("its SHA-256 is" in problem for problem in problems(settings)), readable_store


@pytest.mark.parametrize("data", [b"", b"no tar", b"\x1f\x8b\x08\x00"])
def test_an_invalid_tar_is_a_problem_not_an_error(settings: Settings, data: bytes) -> None:
    artifact(settings).write_bytes(data)
    assert problems(settings)


def test_bytes_behind_the_archive_are_found(settings: Settings) -> None:
    with artifact(settings).open("ab") as file:
        file.write(b"behind")
    assert any("were published" in problem for problem in problems(settings))


@pytest.mark.parametrize(
    ("member", "what"),
    [
        ("m/1/model.py", "its SHA-256 is"),
        ("m/config.pbtxt", "its SHA-256 is"),
        ("m/1/model.onnx", "its md5 is"),
        ("m/python_env/bin/python3", "its environment has"),
    ],
)
def test_a_member_that_the_manifest_does_not_describe_is_named(
    settings: Settings, member: str, what: str
) -> None:
    rewrite(settings, members(settings) | {member: b"another"})
    [found] = problems(settings)
    assert what in found
    rewrite(settings, {name: data for name, data in members(settings).items() if name != member})
    [found] = problems(settings)
    assert "missing" in found or "its environment has" in found


def test_a_member_that_nobody_named_is_named(settings: Settings) -> None:
    rewrite(settings, members(settings) | {"m/1/more.py": b"import os"})
    assert problems(settings) == ("m/1/more.py is in it, and the manifest does not name it",)


def test_bytecode_is_known_by_its_source(settings: Settings) -> None:
    assert "m/1/__pycache__/model.cpython-312.pyc" in members(settings)
    rewrite(settings, members(settings) | {"m/1/__pycache__/other.cpython-312.pyc": b""})
    [found] = problems(settings)
    assert "other.cpython-312.pyc is in it" in found


def test_weights_in_a_folder_are_compared_as_dvc_names_them(settings: Settings) -> None:
    files = {"a.bin": b"a", "b/c.bin": b"c"}
    listed = [{"md5": hashlib.md5(files[name]).hexdigest(), "relpath": name} for name in files]
    md5 = hashlib.md5(json.dumps(listed, sort_keys=True).encode()).hexdigest() + ".dir"
    found = members(settings)
    made = json.loads(found.pop("m/1/manifest.json"))
    del found["m/1/model.onnx"]
    made["weights"] = {"m/1/vocabulary": {"md5": md5, "size": 2}}
    dumped = manifest.Manifest(**made).dump()
    folder = {f"m/1/vocabulary/{name}": data for name, data in files.items()}
    rewrite(settings, {"m/1/manifest.json": dumped, **found, **folder})
    assert problems(settings) == ("its manifest is not the one in its record",)
    rewrite(settings, {"m/1/manifest.json": dumped, **found, **folder, "m/1/vocabulary/d": b""})
    assert any("m/1/vocabulary: its files have" in problem for problem in problems(settings))


@pytest.mark.parametrize(
    "change", [{"sources": ["m/config.pbtxt"]}, {"weights": {"m": 3}}, {"environment": {"a": 1}}]
)
def test_a_manifest_that_makes_no_sense_is_a_problem(
    settings: Settings, change: dict[str, object]
) -> None:
    found = members(settings)
    made = json.loads(found.pop("m/1/manifest.json")) | change
    rewrite(settings, {"m/1/manifest.json": json.dumps(made).encode(), **found})
    assert any("manifest" in problem for problem in problems(settings))


def test_a_missing_artifact_and_a_missing_record_are_problems(settings: Settings) -> None:
    artifact(settings).unlink()
    assert problems(settings) == ("its artifact is gone",)
    store = open_stage(settings, "production")
    store.store.delete(keys.record("production", "m", TARGET))
    assert problems(settings) == ("it has no record", "its artifact is gone")


def test_evidence_that_the_stage_requires_is_checked(settings: Settings) -> None:
    (settings.root / "slipway.toml").write_text(
        '[release]\nstore = "store"\n[release.production]\nrequire = ["tests", "provenance"]\n'
    )
    assert problems(configuration.load(settings.root)) == ("no provenance",)


def test_what_aliases_name_is_verified_unless_all_is(settings: Settings) -> None:
    _, two, three = ["", *promote_samples(settings, "1.1.0", "1.2.0")]
    split = Alias((Variant(TARGET, 90), Variant(two, 10)), shadow=None)
    move_alias(open_stage(settings, "production"), "m", split, "alias", DEV)
    named = select_releases(settings, None, None, ["production"]).releases
    assert [asked.target for asked in named] == [TARGET, two]
    (settings.root / "store/production/models/stranger.tar.gz").write_bytes(b"")
    every = select_releases(settings, None, None, ["production"], all_=True).releases
    assert [asked.target for asked in every] == [TARGET, two, three, "stranger.tar.gz"]
    assert [
        one.target for one in select_releases(settings, "m", "1.2.0", ["production"]).releases
    ] == [three]
    assert len(select_releases(settings, "m", "1.2.0").releases) == 2
    for words in (("n", None), ("n", "1.0.0"), ("m", "3.0.0")):
        with pytest.raises(SlipwayError, match="no release"):
            select_releases(settings, *words)


def test_it_reads_from_s3_alike(release_bucket: BucketStore, tmp_path: Path) -> None:
    (tmp_path / "slipway.toml").write_text(f'[release]\nstore = "{release_bucket.location}"\n')
    settings = configuration.load(tmp_path)
    target = publish_sample(settings).target
    asked = SelectedRelease("staging", "m", target)
    assert problems(settings, asked) == ()
    release_bucket.put(keys.artifact("staging", target), b"other")
    assert any("its SHA-256 is" in problem for problem in problems(settings, asked))


def test_a_damaged_record_is_a_problem(settings: Settings) -> None:
    key = keys.record("production", "m", TARGET)
    store = open_stage(settings, "production")
    assert records.parse_record(store.store.read(key) or b"", key)
    assert store.store.swap(key, store.store.read(key), b"{")
    assert any("damaged" in problem for problem in problems(settings))
