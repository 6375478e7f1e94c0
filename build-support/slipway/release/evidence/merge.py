"""Which evidence stays where evidence about the same bytes is written again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from slipway.catalog.keys import Kind
from slipway.errors import SlipwayError
from slipway.release.evidence import envelope, provenance, statement
from slipway.release.evidence import test_result as tests
from slipway.release.evidence.statement import PAYLOAD_TYPE
from slipway.release.evidence.test_result import TestResult

# the SBOM before the provenance that names its digest
TOGETHER: tuple[Kind, ...] = ("sbom", "provenance")
WRITTEN: tuple[Kind, ...] = (*TOGETHER, "tests")


def merge_evidence(there: Mapping[Kind, bytes], made: Mapping[Kind, bytes]) -> dict[Kind, bytes]:
    """Return those of the documents ``made`` to write into a store that holds ``there`` about the
    same bytes, in the order to write them in.

    What is missing is written. A later run of the tests replaces an earlier one, with two
    exceptions: an unsigned one never replaces a signed one, and one that left tests out never
    replaces one in which all passed. Provenance is of the first build, and stays, with its SBOM,
    unless the new one is signed by another key or the old one is not sound.
    """
    chosen = {kind: document for kind, document in made.items() if kind not in there}
    old, new = (_signers(documents, "tests") for documents in (there, made))
    if "tests" in made and (new or not old) and not (_passed(there) and _left_out(made)):
        chosen["tests"] = made["tests"]
    old, new = (_signers(documents, "provenance") for documents in (there, made))
    if "provenance" in made and (new - old or not _sound(there)):
        chosen |= {kind: made[kind] for kind in TOGETHER if kind in made}
    return {kind: chosen[kind] for kind in WRITTEN if kind in chosen}


def _signers(documents: Mapping[Kind, bytes], kind: Kind) -> set[str]:
    """The keys that an envelope says it is signed by; none if it is not there or damaged."""
    try:
        return set(envelope.open_envelope(documents[kind], PAYLOAD_TYPE, []).signatures)
    except (KeyError, ValueError):
        return set()


def _passed(documents: Mapping[Kind, bytes]) -> bool:
    ran = _ran(documents)
    return ran is not None and ran.passed


def _left_out(documents: Mapping[Kind, bytes]) -> bool:
    """Whether nothing failed, and yet it does not count as passed."""
    ran = _ran(documents)
    return ran is not None and not ran.passed and not ran.failures


def _ran(documents: Mapping[Kind, bytes]) -> TestResult | None:
    try:
        opened = envelope.open_envelope(documents["tests"], PAYLOAD_TYPE, [])
        return tests.parse_test_result(statement.parse_statement(opened.payload), "tests")
    except (KeyError, ValueError, SlipwayError):
        return None


def _sound(documents: Mapping[Kind, bytes]) -> bool:
    """Whether there is provenance that can be read, and the SBOM that it names."""
    try:
        opened = envelope.open_envelope(documents["provenance"], PAYLOAD_TYPE, [])
        named = provenance.parse_provenance(
            statement.parse_statement(opened.payload), "provenance"
        ).sbom
    except (KeyError, ValueError, SlipwayError):
        return False
    return named == (hashlib.sha256(documents["sbom"]).hexdigest() if "sbom" in documents else None)
