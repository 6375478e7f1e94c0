"""Collect and check the evidence of an artifact: its origin, its contents, its tests, its training.

Provenance, tests and training are DSSE envelopes around in-toto statements, signed if a key is
configured. The provenance holds the SBOM's digest, so that its signature covers the SBOM, and the
weights' digests, which are the subjects of the training. Evidence from a store is untrusted until
its signature and its subject are checked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import get_args

from slipway.artifact.artifact import Artifact
from slipway.catalog import keys
from slipway.catalog.keys import Kind
from slipway.catalog.origin import Origin
from slipway.catalog.weights_source import RunReference
from slipway.errors import SlipwayError
from slipway.release.evidence import (
    envelope,
    junit,
    provenance,
    recorded,
    sbom,
    signing,
    statement,
    training,
)
from slipway.release.evidence import test_result as tests
from slipway.release.evidence.envelope import LARGEST
from slipway.release.evidence.statement import PAYLOAD_TYPE, Statement
from slipway.release.evidence.test_result import TestResult
from slipway.release.evidence.training import AttestedTraining
from slipway.release.evidence.training_check import find_training_problems
from slipway.settings import Settings
from slipway.store.stage import StageReader

KINDS: tuple[Kind, ...] = get_args(Kind)
STATEMENTS: tuple[Kind, ...] = ("provenance", "tests", "training")  # in envelopes


def collect_evidence(
    artifact: Artifact,
    settings: Settings,
    origin: Origin,
    reports: Sequence[Path],
    trained: AttestedTraining | None = None,
) -> dict[Kind, bytes]:
    """Return the documents about ``artifact``, signed if a key is configured.

    There is always a provenance. There is an SBOM if the artifact has an environment or weights, or
    is a container's. There is a test result, passed or failed, if one of the JUnit ``reports``
    names exactly this digest. ``reports`` are files or folders; missing ones are skipped. Instead
    of reports it may hold the result that another machine recorded (``.json``). There is a
    statement of the training ``trained``, if one made the weights.

    Raises:
        SlipwayError: the key cannot sign, a report cannot be read, or a recorded result is about
            something else.
    """
    manifest = artifact.manifest
    signer = signing.load_signer(settings)
    documents: dict[Kind, bytes] = {}
    if manifest.environment or manifest.container or manifest.weights:
        documents["sbom"] = sbom.dump_sbom(artifact, settings)
    sbom_digest = _sha256(documents["sbom"]) if "sbom" in documents else None
    payload = provenance.dump_provenance(artifact, settings, origin, sbom_digest)
    documents["provenance"] = envelope.seal_envelope(payload, PAYLOAD_TYPE, signer)
    if trained is not None:
        documents["training"] = envelope.seal_envelope(
            training.dump_training(trained), PAYLOAD_TYPE, signer
        )
    for file in reports:
        if file.suffix == recorded.ENDING:
            documents["tests"] = recorded.accept_recorded(file, manifest, artifact.sha256, settings)
            return documents
    result = junit.read_reports(reports, manifest.name, artifact.sha256)
    if result is not None:
        payload = tests.dump_test_result(
            result, provenance.artifact_name(manifest), artifact.sha256
        )
        documents["tests"] = envelope.seal_envelope(payload, PAYLOAD_TYPE, signer)
    return documents


def load_evidence(stage: StageReader, name: str, sha256: str) -> dict[Kind, bytes]:
    """Return the documents that the store holds about the artifact ``sha256``, unchecked.

    Raises:
        SlipwayError: a document is too large to be evidence.
    """
    documents: dict[Kind, bytes] = {}
    for kind in KINDS:
        document = _read_document(stage, name, sha256, kind)
        if document is not None:
            documents[kind] = document
    return documents


def load_test_result(stage: StageReader, name: str, sha256: str) -> TestResult | None:
    """Return the test result that is recorded for the artifact ``sha256``, ``None`` if there is
    none. Signatures are not checked here, but by :func:`find_problems`.

    Raises:
        SlipwayError: the evidence is damaged, or about another artifact.
    """
    document = _read_document(stage, name, sha256, "tests")
    if document is None:
        return None
    where = keys.evidence(stage.name, name, sha256, "tests")
    try:
        opened = envelope.open_envelope(document, PAYLOAD_TYPE, [])
        about = _check_subject(statement.parse_statement(opened.payload), sha256)
    except ValueError as error:
        raise tests.damaged_evidence(where, str(error)) from error
    return tests.parse_test_result(about, where)


def load_training(stage: StageReader, name: str, sha256: str) -> AttestedTraining | None:
    """Return the training of the artifact ``sha256``, ``None`` if no statement of one is stored.
    Signatures are not checked here, but by :func:`find_problems`.

    Raises:
        SlipwayError: the statement is damaged.
    """
    document = _read_document(stage, name, sha256, "training")
    if document is None:
        return None
    return open_training(document, keys.evidence(stage.name, name, sha256, "training"))


def open_training(document: bytes, where: str) -> AttestedTraining:
    """Return the training in an envelope, whose signatures are not checked.

    Raises:
        SlipwayError: it is damaged; names ``where``.
    """
    try:
        opened = envelope.open_envelope(document, PAYLOAD_TYPE, [])
        return training.parse_training(statement.parse_statement(opened.payload), where)
    except ValueError as error:
        raise tests.damaged_evidence(where, str(error)) from error


def find_problems(
    evidence: Mapping[Kind, bytes],
    sha256: str,
    settings: Settings,
    require: Sequence[str],
    trained_by: RunReference | None = None,
) -> list[str]:
    """Return the problems of ``evidence`` about the artifact ``sha256``, and what is missing of
    ``require`` (``tests``, ``provenance``, ``training``, ``signature``); empty if there are none.

    A signature has to be valid, and by a key of ``[signing] trusted`` if there are any. The
    training has to be of weights that the provenance names, and of the run ``trained_by``, if the
    release's record names one.

    Raises:
        SlipwayError: a trusted key cannot be read.
    """
    trusted = signing.load_trusted_keys(settings)
    problems: list[str] = []
    unsigned: list[str] = []
    checked: dict[Kind, Statement] = {}
    for kind in STATEMENTS:
        if kind not in evidence:
            if kind in require:
                problems.append(f"no {kind}")
            continue
        try:
            opened = envelope.open_envelope(evidence[kind], PAYLOAD_TYPE, trusted)
            problems += [f"{kind}: {wrong}" for wrong in opened.wrong]
            if not opened.signed_by:
                unsigned.append(kind)
            if not opened.wrong:
                attested = statement.parse_statement(opened.payload)
                # the subjects of a training are compared with the provenance's
                checked[kind] = attested if kind == "training" else _check_subject(attested, sha256)
        except ValueError as error:
            problems.append(f"{kind}: {error}")
    if "signature" in require:
        problems += _signature_problems(evidence, unsigned, bool(trusted), problems)
    try:
        problems += _content_problems(evidence, checked)
        problems += find_training_problems(evidence, checked, trained_by)
    except SlipwayError as error:
        problems.append(f"{error.where}: {error.what}")
    return problems


def _signature_problems(
    evidence: Mapping[Kind, bytes],
    unsigned: Sequence[str],
    has_trusted: bool,
    problems: Sequence[str],
) -> list[str]:
    if not has_trusted:
        return ["a signature is required, and no key is trusted: slipway.toml: [signing] trusted"]
    if not set(STATEMENTS) & set(evidence):
        return ["no signature: there is neither provenance nor tests"]
    reported = {kind for kind in unsigned if any(line.startswith(f"{kind}: ") for line in problems)}
    return [f"{kind}: not signed" for kind in unsigned if kind not in reported]


def _content_problems(
    evidence: Mapping[Kind, bytes], checked: Mapping[Kind, Statement]
) -> list[str]:
    """Return the problems in the contents of statements whose subjects are right.

    Raises:
        SlipwayError: a statement has an unknown form.
    """
    problems: list[str] = []
    if "tests" in checked:
        result = tests.parse_test_result(checked["tests"], "tests")
        if not result.passed:
            problems.append(f"tests: {result}")
    sbom_digest: str | None = None
    if "provenance" in checked:
        sbom_digest = provenance.parse_provenance(checked["provenance"], "provenance").sbom
    if "sbom" in evidence:
        try:
            sbom.count_packages(evidence["sbom"])
        except ValueError as error:
            problems.append(f"sbom: {error}")
        if "provenance" not in evidence:
            problems.append("sbom: there is no provenance that names its digest")
        elif "provenance" in checked and sbom_digest != _sha256(evidence["sbom"]):
            problems.append("sbom: its digest is not the one that the provenance names")
    elif sbom_digest is not None:
        problems.append("sbom: it is missing, and the provenance names it")
    return problems


def _check_subject(about: Statement, sha256: str) -> Statement:
    """Return the statement if the artifact ``sha256`` is its only subject.

    Raises:
        ValueError: it is about another artifact.
    """
    if set(about.digests.values()) != {sha256}:
        raise ValueError(f"about another artifact: {', '.join(about.digests.values()):.200}")
    return about


def _read_document(stage: StageReader, name: str, sha256: str, kind: Kind) -> bytes | None:
    key = keys.evidence(stage.name, name, sha256, kind)
    stat = stage.store.stat(key)
    if stat is None:
        return None
    if stat.size > LARGEST:
        raise tests.damaged_evidence(
            key, f"evidence of {stat.size} bytes exceeds the limit of {LARGEST}"
        )
    return stage.store.read(key)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
