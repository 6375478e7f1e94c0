"""What evidence says, in short lines for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from slipway.catalog.keys import Kind
from slipway.errors import SlipwayError
from slipway.release.evidence import envelope, provenance, sbom, signing, statement
from slipway.release.evidence import test_result as tests
from slipway.release.evidence.envelope import Opened, shown
from slipway.release.evidence.evidence import KINDS
from slipway.release.evidence.statement import PAYLOAD_TYPE
from slipway.settings import Settings

if TYPE_CHECKING:
    from securesystemslib.signer import Key


def describe(evidence: Mapping[Kind, bytes], settings: Settings | None = None) -> list[str]:
    """What ``evidence`` says, in short lines for people; with ``settings``, whose signature is good.

    Nothing is refused here: what :func:`slipway.release.evidence.evidence.problems` finds is said as unreadable.
    """
    trusted = [] if settings is None else signing.trusted(settings)
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
        return f"sbom: {sbom.packages(document)} packages"
    opened = envelope.open_(document, PAYLOAD_TYPE, trusted)
    said = statement.parse(opened.payload)
    if kind == "tests":
        what = str(tests.parse(said, kind))
    else:
        read = provenance.parse(said, kind)
        commit = f"commit {read.commit[:7]}" if read.commit else "no commit"
        what = f"{commit}, built by {read.invocation or read.builder}"
    return f"{kind}: {what}; {_signed(opened)}"


def _signed(opened: Opened) -> str:
    if opened.signed_by:
        return f"signed by {', '.join(map(shown, opened.signed_by))}"
    if not opened.signatures:
        return "not signed"
    return f"signed by {', '.join(map(shown, opened.signatures))}, which is not trusted here"
