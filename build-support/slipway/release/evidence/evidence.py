"""What is attested of an artifact: where it is from, what is in it, and that its tests passed.

Provenance and tests are DSSE envelopes around in-toto statements, signed if a key is configured.
The provenance holds the SBOM's digest, so that its signature covers the SBOM. Evidence is untrusted
bytes from a store until its signature and its subject are checked.
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
from slipway.errors import SlipwayError
from slipway.release.evidence import envelope, junit, provenance, sbom, signing, statement
from slipway.release.evidence import test_result as tests
from slipway.release.evidence.envelope import LARGEST
from slipway.release.evidence.statement import PAYLOAD_TYPE, Statement
from slipway.release.evidence.test_result import TestResult
from slipway.settings import Settings
from slipway.store.stage import StageReader

KINDS: tuple[Kind, ...] = get_args(Kind)


def collect_evidence(
    artifact: Artifact, settings: Settings, origin: Origin, reports: Sequence[Path]
) -> dict[Kind, bytes]:
    """The documents about ``artifact``, signed if a key is configured.

    Provenance always; an SBOM if it has an environment or weights; tests if one of the JUnit
    ``reports`` (files or folders; what is not there is left out) is of exactly this digest, whether
    they passed or not.

    Raises:
        SlipwayError: the key cannot sign, or a report cannot be read.
    """
    manifest = artifact.manifest
    signer = signing.load_signer(settings)
    documents: dict[Kind, bytes] = {}
    if manifest.environment or manifest.weights:
        documents["sbom"] = sbom.dump_sbom(artifact, settings)
    of_sbom = _sha256(documents["sbom"]) if "sbom" in documents else None
    said = provenance.dump_provenance(artifact, settings, origin, of_sbom)
    documents["provenance"] = envelope.seal_envelope(said, PAYLOAD_TYPE, signer)
    found = junit.read_reports(reports, manifest.name, artifact.sha256)
    if found is not None:
        said = tests.dump_test_result(found, provenance.artifact_name(manifest), artifact.sha256)
        documents["tests"] = envelope.seal_envelope(said, PAYLOAD_TYPE, signer)
    return documents


def load_evidence(stage: StageReader, name: str, sha256: str) -> dict[Kind, bytes]:
    """What the store holds about these bytes, unchecked.

    Raises:
        SlipwayError: one of them is too large to be evidence.
    """
    found: dict[Kind, bytes] = {}
    for kind in KINDS:
        document = _document(stage, name, sha256, kind)
        if document is not None:
            found[kind] = document
    return found


def load_test_result(stage: StageReader, name: str, sha256: str) -> TestResult | None:
    """How the tests of exactly these bytes went, ``None`` if nobody says. Whether somebody trusted
    says so is for :func:`find_problems`.

    Raises:
        SlipwayError: the evidence is damaged, or of other bytes.
    """
    document = _document(stage, name, sha256, "tests")
    if document is None:
        return None
    where = keys.evidence(stage.name, name, sha256, "tests")
    try:
        opened = envelope.open_envelope(document, PAYLOAD_TYPE, [])
        said = _of_these_bytes(statement.parse_statement(opened.payload), sha256)
    except ValueError as error:
        raise tests.damaged_evidence(where, str(error)) from error
    return tests.parse_test_result(said, where)


def find_problems(
    evidence: Mapping[Kind, bytes], sha256: str, settings: Settings, require: Sequence[str]
) -> list[str]:
    """What is wrong with ``evidence`` about the bytes ``sha256``, or missing of ``require``
    (``tests``, ``provenance``, ``signature``); empty if all is well.

    A signature has to be by one of ``[signing] trusted``, if there are any, and a good one.

    Raises:
        SlipwayError: a trusted key cannot be read.
    """
    trusted = signing.load_trusted_keys(settings)
    found: list[str] = []
    unsigned: list[str] = []
    checked: dict[Kind, Statement] = {}
    for kind in ("provenance", "tests"):
        if kind not in evidence:
            if kind in require:
                found.append(f"no {kind}")
            continue
        try:
            opened = envelope.open_envelope(evidence[kind], PAYLOAD_TYPE, trusted)
            found += [f"{kind}: {wrong}" for wrong in opened.wrong]
            if not opened.signed_by:
                unsigned.append(kind)
            if not opened.wrong:
                checked[kind] = _of_these_bytes(statement.parse_statement(opened.payload), sha256)
        except ValueError as error:
            found.append(f"{kind}: {error}")
    if "signature" in require:
        found += _unsigned(evidence, unsigned, bool(trusted), found)
    try:
        found += _of_contents(evidence, checked)
    except SlipwayError as error:
        found.append(f"{error.where}: {error.what}")
    return found


def _unsigned(
    evidence: Mapping[Kind, bytes], unsigned: Sequence[str], trusts: bool, found: Sequence[str]
) -> list[str]:
    if not trusts:
        return ["a signature is required, and no key is trusted: slipway.toml: [signing] trusted"]
    if not {"provenance", "tests"} & set(evidence):
        return ["no signature: there is neither provenance nor tests"]
    told = {kind for kind in unsigned if any(line.startswith(f"{kind}: ") for line in found)}
    return [f"{kind}: not signed" for kind in unsigned if kind not in told]


def _of_contents(evidence: Mapping[Kind, bytes], checked: Mapping[Kind, Statement]) -> list[str]:
    """What the statements, whose subjects are right, say themselves.

    Raises:
        SlipwayError: one says it in no way that is known.
    """
    found: list[str] = []
    if "tests" in checked:
        ran = tests.parse_test_result(checked["tests"], "tests")
        if not ran.passed:
            found.append(f"tests: {ran}")
    named: str | None = None
    if "provenance" in checked:
        named = provenance.parse_provenance(checked["provenance"], "provenance").sbom
    if "sbom" in evidence:
        try:
            sbom.count_packages(evidence["sbom"])
        except ValueError as error:
            found.append(f"sbom: {error}")
        if "provenance" not in evidence:
            found.append("sbom: there is no provenance that names its digest")
        elif "provenance" in checked and named != _sha256(evidence["sbom"]):
            found.append("sbom: its digest is not the one that the provenance names")
    elif named is not None:
        found.append("sbom: it is missing, and the provenance names it")
    return found


def _of_these_bytes(said: Statement, sha256: str) -> Statement:
    """``said``, if it is.

    Raises:
        ValueError: it is about other bytes.
    """
    if set(said.digests.values()) != {sha256}:
        raise ValueError(f"it is about other bytes: {', '.join(said.digests.values()):.200}")
    return said


def _document(stage: StageReader, name: str, sha256: str, kind: Kind) -> bytes | None:
    key = keys.evidence(stage.name, name, sha256, kind)
    stat = stage.store.stat(key)
    if stat is None:
        return None
    if stat.size > LARGEST:
        raise tests.damaged_evidence(key, f"{stat.size} bytes are too many for evidence")
    return stage.store.read(key)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
