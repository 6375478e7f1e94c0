"""Test results of another machine: they count for exactly the bytes and the release they name."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path

import pytest

from slipway.artifact.artifact import Artifact
from slipway.catalog.catalog import Catalog
from slipway.catalog.origin import Origin
from slipway.errors import SlipwayError
from slipway.release.evidence import evidence, recorded
from slipway.release.promote import promote
from slipway.settings import Settings, Signing
from slipway.store.open import open_stage
from tests.release import sample_releases
from tests.release.evidence.sample_model import KeyFiles, create_key_files
from tests.release.sample_releases import DEV, create_repository, publish_sample, write_artifact

GPU_RUNNER = Origin("c0ffee", "https://gitlab.example.com/team/models/-/jobs/7", "gpu-runner")
REPORT = """<testsuites><testsuite name="pytest" time="2.0" timestamp="2026-01-02T03:04:05+00:00">
<properties>
<property name="slipway.artifact.sha256" value="{sha256}"/>
<property name="slipway.model" value="m"/>
<property name="slipway.server" value="Triton 2.57.0 (release 25.04), from tritonserver on PATH"/>
<property name="slipway.complete" value="true"/>
</properties>
<testcase classname="models.m" name="contract">{inside}</testcase>
</testsuite></testsuites>"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return create_repository(tmp_path / "repository")


@pytest.fixture
def key(tmp_path: Path) -> KeyFiles:
    return create_key_files(tmp_path)


def record(settings: Settings, version: str = "1.0.0", *, code: str = "", inside: str = "") -> Path:
    """What the other machine hands over: its record of the artifact that it built itself."""
    artifact = Artifact(write_artifact(settings.root / "elsewhere", "m", version, code=code))
    report = settings.root / "elsewhere" / "report.xml"
    report.write_text(REPORT.format(sha256=artifact.sha256, inside=inside), encoding="utf-8")
    file = settings.root / "m.tests.json"
    file.write_bytes(recorded.record_tests(artifact, report, settings, GPU_RUNNER))
    return file


def with_keys(settings: Settings, private: Path | None, *trusted: Path) -> Settings:
    signing = Signing(None if private is None else str(private), tuple(map(str, trusted)))
    return replace(settings, signing=signing)


def test_a_release_that_nobody_tested_here_is_promoted_with_the_record(settings: Settings) -> None:
    release = publish_sample(settings, tested=None)
    with pytest.raises(SlipwayError, match="no test result is recorded"):
        promote(settings, "m", None, DEV)
    assert promote(settings, "m", None, DEV, recorded=record(settings)).moved
    result = evidence.load_test_result(open_stage(settings, "production"), "m", release.sha256)
    assert result is not None and result.passed
    # who, where, and on which Triton
    assert result.recorder is not None
    assert (result.recorder.by, result.recorder.pipeline) == ("gpu-runner", GPU_RUNNER.pipeline)
    assert result.recorder.machine == recorded.describe_machine()
    assert result.server == "Triton 2.57.0 (release 25.04), from tritonserver on PATH"
    assert f", by gpu-runner on {result.recorder.machine}" in str(result)


def test_a_record_of_other_bytes_of_another_release_or_of_a_failure_is_refused(
    settings: Settings,
) -> None:
    publish_sample(settings, tested=None)
    for wrong, reason in (
        ({"code": "# another"}, "it is about other bytes of m_1.0.0.tar.gz: sha256 "),
        ({"version": "1.0.1"}, "it is about m_1.0.1.tar.gz, not m_1.0.0.tar.gz"),
    ):
        with pytest.raises(SlipwayError, match=reason) as raised:
            promote(settings, "m", None, DEV, recorded=record(settings, **wrong))
        assert "slipway test NAME --artifact FILE --record m.tests.json" in str(raised.value.fix)
    failed = sample_releases.tests_evidence(write_artifact(settings.root / "elsewhere"), failures=1)
    file = settings.root / "failed.json"
    file.write_bytes(failed)
    with pytest.raises(SlipwayError, match="its tests did not pass: 3 of 4"):
        promote(settings, "m", None, DEV, recorded=file)
    assert Catalog(open_stage(settings, "production")).find_alias("m") is None


def test_tests_that_failed_are_not_recorded(settings: Settings) -> None:
    for inside in ("<failure/>", "<skipped/>"):
        with pytest.raises(SlipwayError, match="nothing is recorded: ") as raised:
            record(settings, inside=inside)
        assert raised.value.fix == "record a run of all tests, in which each passes"


def test_a_record_that_was_changed_is_refused_with_a_key_or_without(
    settings: Settings, key: KeyFiles
) -> None:
    publish_sample(settings, tested=None)
    file = record(with_keys(settings, key.private))
    envelope = json.loads(file.read_text(encoding="utf-8"))
    payload = base64.b64decode(envelope["payload"]).replace(b"gpu-runner", b"somebody-x")
    envelope["payload"] = base64.b64encode(payload).decode()
    for indent in (1, 2):  # Slipway's own spelling, and another
        text = json.dumps(envelope, indent=indent, sort_keys=True) + "\n"
        file.write_text(text, encoding="utf-8")
        with pytest.raises(SlipwayError, match="is wrong|it was changed"):
            promote(with_keys(settings, None, key.public), "m", None, DEV, recorded=file)


def test_a_signed_record_keeps_its_signature_and_has_to_be_trusted(
    settings: Settings, key: KeyFiles, tmp_path: Path
) -> None:
    release = publish_sample(settings, tested=None)
    file = record(with_keys(settings, key.private))
    other = create_key_files(tmp_path / "other")
    with pytest.raises(SlipwayError, match="which is not a trusted key"):
        promote(with_keys(settings, None, other.public), "m", None, DEV, recorded=file)
    # the key of whoever promotes does not replace that of the machine that tested
    promoting = with_keys(settings, other.private, key.public)
    assert promote(promoting, "m", None, DEV, recorded=file).moved
    production = open_stage(settings, "production")
    documents = evidence.load_evidence(production, "m", release.sha256)
    assert documents["tests"] == file.read_bytes()
    assert evidence.find_problems(documents, release.sha256, promoting, ["tests"]) == []


def test_a_record_without_a_signature_is_signed_by_whoever_hands_it_over(
    settings: Settings, key: KeyFiles
) -> None:
    release = publish_sample(settings, tested=None)
    file = record(settings)
    promoting = with_keys(settings, key.private, key.public)
    assert promote(promoting, "m", None, DEV, recorded=file).moved
    production = open_stage(settings, "production")
    documents = evidence.load_evidence(production, "m", release.sha256)
    assert documents["tests"] != file.read_bytes()
    assert evidence.find_problems(documents, release.sha256, promoting, ["tests"]) == []


def test_an_unsigned_record_does_not_replace_a_signed_result(
    settings: Settings, key: KeyFiles
) -> None:
    publish_sample(settings, tested=None)
    signed = record(with_keys(settings, key.private)).read_bytes()
    with pytest.raises(SlipwayError, match="it is not signed") as raised:
        recorded.add_recorded({"tests": signed}, record(settings).read_bytes(), Path("x.json"))
    assert raised.value.fix is not None


def test_publishing_takes_the_record_instead_of_reports(settings: Settings) -> None:
    file = record(settings)
    artifact = Artifact(write_artifact(settings.root / "dist"))
    documents = evidence.collect_evidence(artifact, settings, DEV, [file])
    assert documents["tests"] == file.read_bytes()
    with pytest.raises(SlipwayError, match="other bytes"):
        changed = Artifact(write_artifact(settings.root / "changed", code="# changed"))
        evidence.collect_evidence(changed, settings, DEV, [file])


def test_a_file_that_is_no_record_is_refused(settings: Settings, tmp_path: Path) -> None:
    publish_sample(settings, tested=None)
    file = tmp_path / "x.json"
    for content in (b"", b"{}", b"<testsuites/>"):
        file.write_bytes(content)
        with pytest.raises(SlipwayError, match="not a recorded test result"):
            promote(settings, "m", None, DEV, recorded=file)
