"""DSSE envelopes: a payload, its type, and signatures of both.

Source: https://github.com/secure-systems-lab/dsse; the library is securesystemslib. What is signed
is the pre-authentication encoding of type and payload; it is checked before the payload is read.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from slipway.errors import SlipwayError

if TYPE_CHECKING:
    from securesystemslib.dsse import Envelope
    from securesystemslib.signer import Key, Signer

# bytes of an envelope or an SBOM; the SBOM of a thousand packages has a tenth of it
LARGEST = 16 << 20


@dataclass(frozen=True)
class OpenedEnvelope:
    """An envelope whose signatures were checked.

    ``signatures`` are the ids of the keys that the envelope names, ``signed_by`` those whose
    signatures are valid. ``wrong`` holds the problems of the others.
    """

    payload: bytes
    signatures: tuple[str, ...]
    signed_by: tuple[str, ...]
    wrong: tuple[str, ...]


def seal_envelope(payload: bytes, kind: str, signer: Signer | None) -> bytes:
    """Return the envelope's bytes; without ``signer`` it holds no signature.

    Raises:
        SlipwayError: the key, which may be in a remote service, fails to sign.
    """
    from securesystemslib.dsse import Envelope

    envelope = Envelope(payload, kind, {})
    if signer is not None:
        try:
            signature = envelope.sign(signer)
        except Exception as error:  # "other Signer-specific errors": the library names no type
            raise SlipwayError(
                f"signing failed: {error}",
                where="slipway.toml: [signing]",
                fix="check that the key exists and this role may use it: slipway keys list",
            ) from error
        if "bundle" in signature.unrecognized_fields:
            # SigstoreSigner returns base64 where securesystemslib's own envelope expects hex
            signature.signature = base64.b64decode(signature.signature).hex()
    return _dump(envelope)


def open_envelope(data: bytes, kind: str, trusted: Sequence[Key]) -> OpenedEnvelope:
    """Check an envelope's type, and its signatures by the ``trusted`` keys.

    Only the exact bytes that :func:`seal_envelope` writes are accepted. Each envelope has one
    spelling, so that every changed bit is noticed.

    Raises:
        ValueError: ``data`` is not an envelope, or its payload is not of the type ``kind``.
    """
    envelope = _parse(data)
    if envelope.payload_type != kind:
        raise ValueError(f"its payload is of the type {envelope.payload_type!r:.100}, not {kind}")
    keys = {key.keyid: key for key in trusted}
    valid: list[str] = []
    wrong: list[str] = []
    for keyid in envelope.signatures:
        if keyid not in keys:
            continue
        problem = _signature_problem(envelope, keys[keyid])
        if problem is None:
            valid.append(keyid)
        else:
            wrong.append(f"the signature by {short_key_id(keyid)} {problem}")
    if trusted and envelope.signatures and not valid and not wrong:
        signers = ", ".join(map(short_key_id, envelope.signatures))
        wrong.append(f"signed by {signers}, which is not a trusted key")
    return OpenedEnvelope(envelope.payload, tuple(envelope.signatures), tuple(valid), tuple(wrong))


def short_key_id(keyid: str) -> str:
    """Return the start of a key's id, for output."""
    return keyid[:12]


def _signature_problem(envelope: Envelope, key: Key) -> str | None:
    """Return the problem of the signature by ``key``; ``None`` if it is valid."""
    from securesystemslib.exceptions import UnverifiedSignatureError, VerificationError

    try:
        key.verify_signature(envelope.signatures[key.keyid], envelope.pae())
    except VerificationError as error:  # the subclass first: the check could not run
        return f"cannot be checked: {error}"
    except UnverifiedSignatureError:
        return "is wrong"
    return None


def _parse(data: bytes) -> Envelope:
    from securesystemslib.dsse import Envelope

    if len(data) > LARGEST:
        raise ValueError(f"an envelope of {len(data)} bytes exceeds the limit of {LARGEST}")
    try:
        envelope = Envelope.from_dict(json.loads(data))
        unchanged = _dump(envelope) == data
    # invalid JSON, or values that the library does not expect
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RecursionError,
        OverflowError,
    ) as error:
        raise ValueError(f"not a DSSE envelope: {error!r:.200}") from error
    if not unchanged:
        raise ValueError("not a DSSE envelope as Slipway writes it: it was changed")
    return envelope


def _dump(envelope: Any) -> bytes:
    values = envelope.to_dict()
    # a list in the order of signing would make equal envelopes unequal
    values["signatures"].sort(key=lambda signature: str(signature["keyid"]))
    return (json.dumps(values, indent=1, sort_keys=True) + "\n").encode()
