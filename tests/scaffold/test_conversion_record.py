"""An artifact says what its weights were converted from, with what, and how close they are."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from slipway.artifact.contents import Contents, read_contents
from slipway.artifact.diff import diff
from slipway.catalog.origin import Origin
from slipway.cli import main
from slipway.environment import ExecutionEnvironment
from slipway.errors import SlipwayError
from slipway.release.evidence import provenance
from slipway.scaffold import from_conversion
from slipway.settings import Settings
from tests.scaffold import conversions
from tests.scaffold.serving import artifact


@pytest.fixture
def folder(tmp_path: Path, settings: Settings) -> Path:
    """Return a model folder of a conversion."""
    made = conversions.wide(tmp_path / "out")
    return from_conversion.write("sample", from_conversion.plan(made), settings)


@pytest.fixture
def contents(folder: Path, environment: ExecutionEnvironment) -> Contents:
    """Return what is in the artifact of the folder."""
    return read_contents(artifact(folder, environment))


def test_inspect_shows_the_original_and_the_difference(
    contents: Contents, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert main(["inspect", str(contents.path)]) == 0
    output = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert "trained.bin, 21 bytes, a sample of 3 columns" in output
    assert "difference 0 on 20 drawn rows" in output and "converted with sample 1.0" in output


def test_diff_names_what_of_the_conversion_changed(contents: Contents) -> None:
    record = contents.manifest.conversion
    assert record is not None
    other = record | {"versions": {"sample": "2.0"}, "difference": 3e-6}
    manifest = dataclasses.replace(contents.manifest, conversion=other)
    changes = diff(contents, dataclasses.replace(contents, manifest=manifest))
    assert [(c.part, c.name, c.before, c.after) for c in changes] == [
        ("conversion", "converted with sample", "1.0", "2.0"),
        ("conversion", "difference", "0 on 20 drawn rows", "3e-06 on 20 drawn rows"),
    ]


def test_the_provenance_names_the_original_and_the_lock(
    contents: Contents, settings: Settings
) -> None:
    payload = provenance.dump_provenance(contents.artifact, settings, Origin(), None)
    definition = json.loads(payload)["predicate"]["buildDefinition"]
    named = {entry["name"]: entry for entry in definition["resolvedDependencies"]}
    record = contents.manifest.conversion
    assert record is not None
    original = named["original/trained.bin"]
    assert original["digest"] == {"sha256": record["source"]["sha256"]}
    assert original["annotations"] == {"size": 21, "format": "sample"}
    assert named["original/requirements.lock"]["digest"] == {"sha256": record["lock"]}
    assert definition["internalParameters"]["conversion"]["versions"] == {"sample": "1.0"}


def test_weights_that_were_not_converted_are_not_packed_as_if_they_were(
    folder: Path, environment: ExecutionEnvironment
) -> None:
    record = folder / "original" / "conversion.json"
    values = json.loads(record.read_text())
    values["files"]["model.onnx"]["md5"] = "0" * 32
    record.write_text(json.dumps(values))
    with pytest.raises(SlipwayError, match="not what was converted") as refused:
        artifact(folder, environment)
    assert "slipway weights convert sample --add" in (refused.value.fix or "")


def test_a_model_without_a_conversion_has_none_in_its_manifest(
    folder: Path, environment: ExecutionEnvironment
) -> None:
    (folder / "original" / "conversion.json").unlink()
    manifest = read_contents(artifact(folder, environment)).manifest
    assert b"conversion" not in manifest.dump()
