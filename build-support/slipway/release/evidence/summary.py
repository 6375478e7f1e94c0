"""Summarize evidence in short lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from slipway.catalog.keys import Kind
from slipway.errors import SlipwayError
from slipway.release.evidence import envelope, provenance, sbom, signing, statement, training
from slipway.release.evidence import test_result as tests
from slipway.release.evidence.envelope import OpenedEnvelope, short_key_id
from slipway.release.evidence.evidence import KINDS
from slipway.release.evidence.statement import PAYLOAD_TYPE
from slipway.settings import Settings

if TYPE_CHECKING:
    from securesystemslib.signer import Key


def summarize(evidence: Mapping[Kind, bytes], settings: Settings | None = None) -> list[str]:
    """Return one line for each document; with ``settings``, signatures are checked.

    A document that cannot be read is listed as not readable.
    """
    trusted = [] if settings is None else signing.load_trusted_keys(settings)
    lines: list[str] = []
    for kind in KINDS:
        if kind not in evidence:
            continue
        try:
            lines.append(_line(kind, evidence[kind], trusted))
        except (ValueError, SlipwayError) as error:
            what = error.what if isinstance(error, SlipwayError) else str(error)
            lines.append(f"{kind}: not readable: {what}")
    return lines


def _line(kind: Kind, document: bytes, trusted: Sequence[Key]) -> str:
    if kind == "sbom":
        return f"sbom: {sbom.count_packages(document)} packages"
    opened = envelope.open_envelope(document, PAYLOAD_TYPE, trusted)
    attested = statement.parse_statement(opened.payload)
    if kind == "tests":
        what = str(tests.parse_test_result(attested, kind))
    elif kind == "training":
        run = training.parse_training(attested, kind).run
        commit = f"commit {run.commit[:7]}" if run.commit else "no commit"
        what = f"{run.id} on {run.place}, {commit}"
    else:
        origin = provenance.parse_provenance(attested, kind)
        commit = f"commit {origin.commit[:7]}" if origin.commit else "no commit"
        what = f"{commit}, built by {origin.invocation or origin.builder}"
    return f"{kind}: {what}; {_signed(opened)}"


def _signed(opened: OpenedEnvelope) -> str:
    if opened.signed_by:
        return f"signed by {', '.join(map(short_key_id, opened.signed_by))}"
    if not opened.signatures:
        return "not signed"
    return f"signed by {', '.join(map(short_key_id, opened.signatures))}, which is not trusted here"
