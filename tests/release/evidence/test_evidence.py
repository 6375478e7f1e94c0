"""Evidence of a release: written, read back, and found wrong whatever was done to it in between."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slipway.artifact.artifact import Artifact
from slipway.catalog import keys
from slipway.catalog.keys import Kind
from slipway.catalog.origin import Origin
from slipway.errors import SlipwayError
from slipway.release.evidence import envelope, evidence, merge, summary
from slipway.store.directory import DirectoryStore
from slipway.store.stage import StageStore
from tests.release.evidence.sample_model import (
    FAILED,
    ORIGIN,
    OWN,
    KeyFiles,
    SampleModel,
    create_key_files,
    junit_report,
    pack_sample,
)

EVERYTHING = ("tests", "provenance", "signature")
CI = {
    "CI_SERVER_URL": "https://gitlab.example",
    "CI_RUNNER_ID": "12",
    "CI_PROJECT_URL": "https://gitlab.example/team/models",
    "CI_PIPELINE_CREATED_AT": "2026-01-02T03:04:05Z",
}
type Documents = dict[Kind, bytes]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> SampleModel:
    return pack_sample(tmp_path_factory.mktemp("made"))


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> KeyFiles:
    return create_key_files(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def other_key(tmp_path_factory: pytest.TempPathFactory) -> KeyFiles:
    return create_key_files(tmp_path_factory.mktemp("keys"), "other")


@pytest.fixture(scope="module")
def report(sample: SampleModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("reports") / "tiny.tests.xml"
    file.write_text(junit_report(sample.artifact.sha256), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def signed(sample: SampleModel, key: KeyFiles, report: Path) -> Documents:
    return collect(sample, report, key)


@pytest.fixture(autouse=True)
def outside_of_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in CI:
        monkeypatch.delenv(name, raising=False)


def collect(
    sample: SampleModel, report: Path, key: KeyFiles | None = None, origin: Origin = ORIGIN
) -> Documents:
    settings = sample.signed(key)
    return evidence.collect_evidence(sample.artifact, settings, origin, [report])


def problems(
    documents: Documents, sample: SampleModel, *trusted: KeyFiles, require: Any = ()
) -> list[str]:
    return evidence.find_problems(
        documents, sample.artifact.sha256, sample.signed(None, trusted), require
    )


def statement(document: bytes) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(base64.b64decode(json.loads(document)["payload"]))
    return said


def sealed(said: object, kind: str = "application/vnd.in-toto+json") -> bytes:
    """An envelope without signatures around any JSON."""
    payload = base64.b64encode(json.dumps(said).encode()).decode()
    envelope = {"payload": payload, "payloadType": kind, "signatures": []}
    return (json.dumps(envelope, indent=1, sort_keys=True) + "\n").encode()


def test_what_was_signed_is_well_where_the_key_is_trusted(
    signed: Documents, sample: SampleModel, key: KeyFiles
) -> None:
    assert set(signed) == {"provenance", "tests", "sbom"}
    assert problems(signed, sample, key, require=EVERYTHING) == []


def test_provenance_says_what_the_artifact_was_made_of(
    signed: Documents, sample: SampleModel
) -> None:
    said = statement(signed["provenance"])
    assert said["_type"] == "https://in-toto.io/Statement/v1"
    assert said["predicateType"] == "https://slsa.dev/provenance/v1"
    assert said["subject"] == [
        {"name": "tiny_1.2.0.tar.gz", "digest": {"sha256": sample.artifact.sha256}}
    ]
    defined = said["predicate"]["buildDefinition"]
    assert defined["externalParameters"] == {"model": "tiny", "version": "1.2.0"}
    assert defined["internalParameters"] == {
        "serves": "tiny_pipeline",
        "tritonRelease": "25.04",
        "platform": "linux-64",
        "layout": "directory",
    }
    inputs = {entry["name"]: entry for entry in defined["resolvedDependencies"]}
    assert inputs["git"]["digest"] == {"gitCommit": ORIGIN.commit}
    assert len(inputs["tiny_preprocessing/1/model.py"]["digest"]["sha256"]) == 64
    assert set(inputs["tiny_inferencer/1/model.onnx"]["digest"]) == {"md5"}
    assert inputs["requirements.lock"]["digest"] == {"sha256": "0" * 64}
    assert inputs["interpreter"]["annotations"]["from"] == "local CPython 3.12.1"


def test_provenance_says_who_built_where(
    sample: SampleModel, report: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    local = statement(collect(sample, report)["provenance"])["predicate"]["runDetails"]
    assert local["builder"]["id"] == "urn:x-slipway:builder:local"
    for name, value in CI.items():
        monkeypatch.setenv(name, value)
    said = statement(collect(sample, report)["provenance"])["predicate"]
    ran = said["runDetails"]
    assert ran["builder"]["id"] == "https://gitlab.example/-/runners/12"
    assert ran["metadata"]["invocationId"] == ORIGIN.pipeline
    assert ran["metadata"]["startedOn"] == "2026-01-02T03:04:05Z"
    assert said["buildDefinition"]["resolvedDependencies"][0] == {
        "uri": f"git+https://gitlab.example/team/models@{ORIGIN.commit}",
        "digest": {"gitCommit": ORIGIN.commit},
    }


def test_a_commit_with_uncommitted_changes_is_dirty(sample: SampleModel, report: Path) -> None:
    documents = collect(sample, report, origin=Origin("c0ffee1-dirty"))
    first = statement(documents["provenance"])["predicate"]["buildDefinition"][
        "resolvedDependencies"
    ][0]
    assert (first["digest"], first["annotations"]) == ({"gitCommit": "c0ffee1"}, {"dirty": True})


def test_nothing_but_times_differs_between_two_collections(
    sample: SampleModel, report: Path, key: KeyFiles, signed: Documents
) -> None:
    again = collect(sample, report, key)
    assert (again["sbom"], again["tests"]) == (signed["sbom"], signed["tests"])
    first, second = (statement(documents["provenance"]) for documents in (signed, again))
    for said in (first, second):
        del said["predicate"]["runDetails"]["metadata"]["finishedOn"]
    assert first == second


def test_the_test_result_has_its_counts(
    signed: Documents, sample: SampleModel, tmp_path: Path
) -> None:
    store = DirectoryStore(tmp_path)
    for kind, document in signed.items():
        store.create(keys.evidence("staging", "tiny", sample.artifact.sha256, kind), document)
    found = evidence.load_test_result(StageStore(store, "staging"), "tiny", sample.artifact.sha256)
    assert found is not None
    assert (found.passed, found.tests, found.failures, found.seconds) == (True, 2, 0, 2.0)
    assert found.when == "2026-01-02T03:04:07Z"
    assert statement(signed["tests"])["predicate"]["result"] == "PASSED"
    assert (
        evidence.load_evidence(StageStore(store, "staging"), "tiny", sample.artifact.sha256)
        == signed
    )
    assert evidence.load_test_result(StageStore(store, "staging"), "tiny", "0" * 64) is None
    assert evidence.load_evidence(StageStore(store, "staging"), "tiny", "0" * 64) == {}


def test_without_a_report_nobody_says_that_tests_passed(
    sample: SampleModel, tmp_path: Path
) -> None:
    documents = collect(sample, tmp_path / "absent")
    assert set(documents) == {"provenance", "sbom"}
    assert problems(documents, sample) == []
    assert problems(documents, sample, require=["tests"]) == ["no tests"]


def test_tests_that_failed_are_attested_and_a_problem(sample: SampleModel, tmp_path: Path) -> None:
    (tmp_path / "x.xml").write_text(junit_report(sample.artifact.sha256, FAILED), encoding="utf-8")
    documents = collect(sample, tmp_path)
    assert statement(documents["tests"])["predicate"]["result"] == "FAILED"
    [problem] = problems(documents, sample)
    assert problem.startswith("tests: 0 of 1 tests passed: models.tiny.tests.test_tiny.test_a")


def test_unsigned_evidence_is_well_unless_a_signature_is_required(
    sample: SampleModel, report: Path, key: KeyFiles
) -> None:
    documents = collect(sample, report)
    assert problems(documents, sample, key) == []
    assert problems(documents, sample, key, require=["signature"]) == [
        "provenance: not signed",
        "tests: not signed",
    ]


def test_a_signature_by_a_key_that_is_not_trusted_is_a_problem(
    signed: Documents, sample: SampleModel, key: KeyFiles, other_key: KeyFiles
) -> None:
    found = problems(signed, sample, other_key, require=["signature"])
    assert [line.partition(":")[0] for line in found] == ["provenance", "tests"]
    assert all(f"signed by {key.keyid[:12]}, which is not a trusted key" in line for line in found)


def test_where_no_key_is_trusted_a_required_signature_cannot_be_had(
    signed: Documents, sample: SampleModel
) -> None:
    [problem] = problems(signed, sample, require=["signature"])
    assert "no key is trusted" in problem and "[signing] trusted" in problem
    assert problems(signed, sample) == []


def test_after_a_rotation_both_keys_evidence_is_well(
    signed: Documents, sample: SampleModel, report: Path, key: KeyFiles, other_key: KeyFiles
) -> None:
    newer = collect(sample, report, other_key)
    for documents in (signed, newer):
        assert problems(documents, sample, key, other_key, require=EVERYTHING) == []


def test_evidence_of_other_bytes_is_a_problem(
    signed: Documents, sample: SampleModel, key: KeyFiles
) -> None:
    other = replace(sample, artifact=Artifact(sample.artifact.path, sha256="f" * 64))
    found = problems(signed, other, key)
    assert [line for line in found if "about another artifact" in line] == [
        f"provenance: about another artifact: {sample.artifact.sha256}",
        f"tests: about another artifact: {sample.artifact.sha256}",
    ]


def test_another_artifact_s_sbom_is_a_problem(
    signed: Documents, sample: SampleModel, key: KeyFiles
) -> None:
    changed = signed | {"sbom": signed["sbom"].replace(b"1.26.4", b"1.26.5")}
    [problem] = problems(changed, sample, key)
    assert problem == "sbom: its digest is not the one that the provenance names"


def test_an_sbom_that_went_is_a_problem(
    signed: Documents, sample: SampleModel, key: KeyFiles
) -> None:
    left: Documents = {kind: document for kind, document in signed.items() if kind != "sbom"}
    assert problems(left, sample, key) == ["sbom: it is missing, and the provenance names it"]


@pytest.mark.parametrize("missing", ["provenance", "tests"])
def test_what_is_required_and_missing_is_named(
    signed: Documents, sample: SampleModel, key: KeyFiles, missing: Kind
) -> None:
    left = {kind: document for kind, document in signed.items() if kind != missing}
    assert f"no {missing}" in problems(left, sample, key, require=EVERYTHING)


def test_a_statement_in_the_place_of_another_is_a_problem(
    signed: Documents, sample: SampleModel, key: KeyFiles
) -> None:
    swapped: Documents = {"provenance": signed["tests"], "tests": signed["provenance"]}
    assert any("a statement of the type" in line for line in problems(swapped, sample, key))


def test_nothing_required_of_nothing_is_well(sample: SampleModel) -> None:
    assert problems({}, sample) == []
    assert problems({}, sample, require=["provenance", "tests"]) == ["no provenance", "no tests"]


def test_the_summary_has_one_line_for_each_document(
    signed: Documents, sample: SampleModel, key: KeyFiles
) -> None:
    lines = summary.summarize(signed, sample.signed(None, [key]))
    assert lines == [
        f"provenance: commit 0000000, built by {ORIGIN.pipeline}; signed by {key.keyid[:12]}",
        "tests: 2 of 2 tests passed in 2.0 s, 2026-01-02 03:04 UTC; signed by " + key.keyid[:12],
        "sbom: 2 packages",
    ]
    untrusted = summary.summarize(signed)
    assert untrusted[0].endswith(f"signed by {key.keyid[:12]}, which is not trusted here")


def test_the_summary_lists_unreadable_documents() -> None:
    lines = summary.summarize({"provenance": b"{}", "tests": sealed({}), "sbom": b"[]"})
    assert [line.split(": ")[:2] for line in lines] == [
        [kind, "not readable"] for kind in ("provenance", "tests", "sbom")
    ]


def test_evidence_too_large_to_be_any_is_not_read(sample: SampleModel, tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path)
    file = tmp_path / keys.evidence("staging", "tiny", sample.artifact.sha256, "tests")
    file.parent.mkdir(parents=True)
    with file.open("wb") as out:
        out.truncate(envelope.LARGEST + 1)
    for ask in (evidence.load_test_result, evidence.load_evidence):
        with pytest.raises(SlipwayError, match="exceeds the limit"):
            ask(StageStore(store, "staging"), "tiny", sample.artifact.sha256)


# -- published again -------------------------------------------------------------------------------


def test_what_is_missing_is_added_and_equal_evidence_is_left(
    signed: Documents, sample: SampleModel, report: Path, key: KeyFiles
) -> None:
    assert merge.merge_evidence({}, signed) == signed
    assert list(merge.merge_evidence({}, signed)) == ["sbom", "provenance", "tests"]
    assert merge.merge_evidence(signed, {}) == {}
    # the first build's provenance stays, the last run of the tests counts
    again = collect(sample, report, key)
    assert merge.merge_evidence(signed, again) == {"tests": again["tests"]}


def test_a_signature_replaces_none_and_none_replaces_a_signature(
    signed: Documents, sample: SampleModel, report: Path
) -> None:
    unsigned = collect(sample, report)
    assert merge.merge_evidence(unsigned, signed) == signed
    assert merge.merge_evidence(signed, unsigned) == {}


def test_a_selection_does_not_replace_a_run_that_passed_but_a_failure_does(
    signed: Documents, sample: SampleModel, key: KeyFiles, tmp_path: Path
) -> None:
    file = tmp_path / "x.xml"
    file.write_text(junit_report(sample.artifact.sha256, OWN), encoding="utf-8")
    selected = collect(sample, file, key)
    assert not problems(signed, sample) and problems(selected, sample)
    assert merge.merge_evidence(signed, selected) == {}
    assert merge.merge_evidence(selected, signed)["tests"] == signed["tests"]
    file.write_text(junit_report(sample.artifact.sha256, FAILED), encoding="utf-8")
    failed = collect(sample, file, key)
    assert merge.merge_evidence(signed, failed) == {"tests": failed["tests"]}


def test_another_key_s_provenance_replaces_the_old_key_s(
    signed: Documents, sample: SampleModel, report: Path, other_key: KeyFiles
) -> None:
    rotated = collect(sample, report, other_key)
    assert merge.merge_evidence(signed, rotated) == rotated


@pytest.mark.parametrize("damage", [{"provenance": b"{}"}, {"sbom": b"{}"}, {"sbom": None}])
def test_damaged_evidence_is_replaced_completely(
    signed: Documents,
    sample: SampleModel,
    report: Path,
    key: KeyFiles,
    damage: dict[Kind, bytes | None],
) -> None:
    there: Documents = {
        kind: document for kind, document in {**signed, **damage}.items() if document is not None
    }
    again = collect(sample, report, key)
    assert merge.merge_evidence(there, again) == again


# -- whatever somebody does to the bytes -----------------------------------------------------------


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_any_byte_of_signed_evidence_that_is_changed_is_found(
    data: st.DataObject, signed: Documents, sample: SampleModel, key: KeyFiles
) -> None:
    kind = data.draw(st.sampled_from(sorted(signed)))
    at = data.draw(st.integers(0, len(signed[kind]) - 1))
    flip = data.draw(st.integers(1, 255))
    changed = bytearray(signed[kind])
    changed[at] ^= flip
    assert problems({**signed, kind: bytes(changed)}, sample, key, require=EVERYTHING)


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_any_byte_of_a_signed_payload_that_is_changed_is_found(
    data: st.DataObject, signed: Documents, sample: SampleModel, key: KeyFiles
) -> None:
    kind: Kind = data.draw(st.sampled_from(("provenance", "tests")))
    said = json.loads(signed[kind])
    payload = bytearray(base64.b64decode(said["payload"]))
    payload[data.draw(st.integers(0, len(payload) - 1))] ^= data.draw(st.integers(1, 255))
    said["payload"] = base64.b64encode(bytes(payload)).decode()
    document = (json.dumps(said, indent=1, sort_keys=True) + "\n").encode()
    found = problems({**signed, kind: document}, sample, key)
    assert f"{kind}: the signature by {key.keyid[:12]} is wrong" in found


def test_cutting_the_signature_off_is_found_where_one_is_required(
    signed: Documents, sample: SampleModel, key: KeyFiles
) -> None:
    said = json.loads(signed["provenance"]) | {"signatures": []}
    document = (json.dumps(said, indent=1, sort_keys=True) + "\n").encode()
    found = problems({**signed, "provenance": document}, sample, key, require=["signature"])
    assert found == ["provenance: not signed"]


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace('" payload"', '"payload"').replace("\n", " "),
        lambda text: text.replace('{\n "payload"', '{\n "extra": 1,\n "payload"'),
        lambda text: text + " ",
        lambda text: text.replace('"payloadType"', '"payloadType": "x",\n "payloadType"'),
    ],
)
def test_an_envelope_in_another_spelling_is_refused(
    signed: Documents, sample: SampleModel, key: KeyFiles, change: Callable[[str], str]
) -> None:
    text = signed["provenance"].decode()
    assert change(text) != text
    [problem, *_] = problems({**signed, "provenance": change(text).encode()}, sample, key)
    assert problem == "provenance: not a DSSE envelope as Slipway writes it: it was changed"


def test_an_envelope_around_another_type_is_a_problem(sample: SampleModel, key: KeyFiles) -> None:
    [problem] = problems({"provenance": sealed({}, "text/plain")}, sample, key)
    assert problem.startswith("provenance: its payload is of the type 'text/plain'")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(
            "payload payloadType signatures keyid sig _type subject name digest sha256 slipway"
            " predicateType predicate result buildDefinition runDetails bomFormat components tests"
            " externalParameters resolvedDependencies byproducts annotations metadata".split()
        ),
        inner,
        max_size=6,
    ),
    max_leaves=30,
)


@settings(max_examples=300, deadline=None)
@given(document=st.binary(max_size=64) | JSON.map(lambda said: json.dumps(said).encode()))
def test_no_document_at_all_crashes_or_is_well(
    document: bytes, sample: SampleModel, key: KeyFiles
) -> None:
    documents: Documents = {"provenance": document, "tests": document, "sbom": document}
    assert problems(documents, sample, key)
    assert len(summary.summarize(documents)) == 3


PREDICATES = st.sampled_from(
    [
        "https://slsa.dev/provenance/v1",
        "https://in-toto.io/attestation/test-result/v0.1",
        "urn:x",
    ]
)


@settings(max_examples=300, deadline=None)
@given(kind=PREDICATES, predicate=JSON)
def test_no_statement_about_these_bytes_crashes_or_passes_for_tests(
    kind: str, predicate: object, sample: SampleModel, tmp_path_factory: pytest.TempPathFactory
) -> None:
    document = sealed(
        {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": "x", "digest": {"sha256": sample.artifact.sha256}}],
            "predicateType": kind,
            "predicate": predicate,
        }
    )
    documents: Documents = {"provenance": document, "tests": document}
    assert problems(documents, sample)
    assert len(summary.summarize(documents)) == 2
    store = DirectoryStore(tmp_path_factory.mktemp("store"))
    store.create(keys.evidence("staging", "tiny", sample.artifact.sha256, "tests"), document)
    with pytest.raises(SlipwayError):
        evidence.load_test_result(StageStore(store, "staging"), "tiny", sample.artifact.sha256)


def test_json_nested_too_deeply_is_a_problem(sample: SampleModel) -> None:
    deep = b"[" * 200_000
    assert problems({"provenance": deep, "sbom": deep}, sample)
    inside = base64.b64encode(b'{"predicate":' + b'{"a":' * 50_000).decode()
    envelope = {"payload": inside, "payloadType": "application/vnd.in-toto+json", "signatures": []}
    document = (json.dumps(envelope, indent=1, sort_keys=True) + "\n").encode()
    assert problems({"provenance": document}, sample)
