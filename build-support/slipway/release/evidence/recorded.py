"""Test results that another machine recorded, such as one with a GPU: a file that is handed over.

It is the envelope that a store keeps as evidence. The machine that tests writes it; publishing and
promotion take it, if it is about these bytes, of this release, and all tests passed.
"""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from slipway.artifact.artifact import Artifact
from slipway.artifact.manifest import Manifest
from slipway.catalog.keys import Kind
from slipway.catalog.origin import Origin
from slipway.errors import SlipwayError
from slipway.release.evidence import envelope, junit, merge, provenance, signing, statement
from slipway.release.evidence import test_result as tests
from slipway.release.evidence.statement import PAYLOAD_TYPE
from slipway.release.evidence.test_result import Recorder, TestResult
from slipway.settings import Settings

ENDING = ".json"  # JUnit reports end with .xml
GPUS = Path("/proc/driver/nvidia/gpus")


def record_tests(artifact: Artifact, report: Path, settings: Settings, origin: Origin) -> bytes:
    """Return the result in the JUnit file ``report`` of ``artifact`` as an envelope, with who
    tested it and where; signed if a key is configured.

    Raises:
        SlipwayError: the tests did not pass, or not all of them ran, or the key cannot sign.
    """
    manifest = artifact.manifest
    result = junit.read_reports([report], manifest.name, artifact.sha256)
    if result is None or not result.passed:
        why = "the report is about another artifact" if result is None else str(result)
        raise SlipwayError(
            f"nothing is recorded: {why}",
            where=str(report),
            fix="record a run of all tests, in which each passes",
        )
    recorder = Recorder(origin.by, describe_machine(), origin.pipeline)
    payload = tests.dump_test_result(
        replace(result, recorder=recorder), provenance.artifact_name(manifest), artifact.sha256
    )
    return envelope.seal_envelope(payload, PAYLOAD_TYPE, signing.load_signer(settings))


def accept_recorded(file: Path, manifest: Manifest, sha256: str, settings: Settings) -> bytes:
    """Return the envelope in ``file`` about the artifact ``sha256`` of the release ``manifest``.

    One without a signature is signed, if a key is configured: whoever hands it over vouches for it,
    as for a JUnit report.

    Raises:
        SlipwayError: it is changed, signed by a key that is not trusted, or about other bytes or
            another release, or its tests did not pass.
    """
    data = _read(file)
    try:
        opened = envelope.open_envelope(data, PAYLOAD_TYPE, signing.load_trusted_keys(settings))
        attested = statement.parse_statement(opened.payload)
    except ValueError as error:
        raise _refused(file, f"not a recorded test result: {error}") from error
    if opened.wrong:
        raise _refused(file, "; ".join(opened.wrong))
    release = provenance.artifact_name(manifest)
    if set(attested.digests) != {release}:
        raise _refused(file, f"it is about {_join(attested.digests)}, not {release}")
    if set(attested.digests.values()) != {sha256}:
        digests = _join(digest[:12] for digest in attested.digests.values())
        raise _refused(
            file, f"it is about other bytes of {release}: sha256 {digests}, not {sha256[:12]}"
        )
    result = tests.parse_test_result(attested, str(file))
    if not result.passed:
        raise _refused(file, f"its tests did not pass: {result}")
    signer = None if opened.signatures else signing.load_signer(settings)
    return data if signer is None else envelope.seal_envelope(opened.payload, PAYLOAD_TYPE, signer)


def add_recorded(documents: Mapping[Kind, bytes], recorded: bytes, file: Path) -> dict[Kind, bytes]:
    """Return the evidence ``documents`` with the accepted envelope of ``file``.

    Raises:
        SlipwayError: there is a signed result, and this one has no signature.
    """
    chosen = merge.merge_evidence(documents, {"tests": recorded})
    if "tests" not in chosen:
        raise SlipwayError(
            "it is not signed, and must not replace the signed test result of this release",
            where=str(file),
            fix="record it where a key of [signing] is, or promote with one",
        )
    return {**documents, "tests": chosen["tests"]}


def load_result(recorded: bytes, file: Path) -> TestResult:
    """Return the result in an accepted envelope."""
    opened = envelope.open_envelope(recorded, PAYLOAD_TYPE, [])
    return tests.parse_test_result(statement.parse_statement(opened.payload), str(file))


def describe_machine() -> str:
    """Return the name of this machine, its processor and its GPUs."""
    models = dict.fromkeys(
        line.partition(":")[2].strip()
        for file in sorted(GPUS.glob("*/information"))
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines()
        if line.startswith("Model:")
    )
    return f"{platform.node()} ({platform.machine()}, {', '.join(models) or 'no GPU'})"


def _read(file: Path) -> bytes:
    try:
        if file.stat().st_size > envelope.LARGEST:
            raise _refused(file, f"{file.stat().st_size} bytes exceed the limit of evidence")
        return file.read_bytes()
    except OSError as error:
        raise _refused(file, f"it cannot be read: {error.strerror}") from error


def _refused(file: Path, what: str) -> SlipwayError:
    return SlipwayError(
        what,
        where=str(file),
        fix="test this release's own artifact: slipway test NAME --artifact FILE --record"
        f" {file.name}",
    )


def _join(names: Iterable[str]) -> str:
    return f"{', '.join(names):.200}"
