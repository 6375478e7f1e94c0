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

# of an envelope or an SBOM; those of a thousand packages have a tenth of it
LARGEST = 16 << 20


@dataclass(frozen=True)
class OpenedEnvelope:
    """``signed_by`` are the ids of the keys whose signatures were found good, ``signatures`` those
    that the envelope names. ``wrong`` says what is wrong with them."""

    payload: bytes
    signatures: tuple[str, ...]
    signed_by: tuple[str, ...]
    wrong: tuple[str, ...]


def seal_envelope(payload: bytes, kind: str, signer: Signer | None) -> bytes:
    """The envelope's bytes; without ``signer`` it holds no signature.

    Raises:
        SlipwayError: the key, which may be far away, does not sign.
    """
    from securesystemslib.dsse import Envelope

    made = Envelope(payload, kind, {})
    if signer is not None:
        try:
            signature = made.sign(signer)
        except Exception as error:  # "other Signer-specific errors": the library names no type
            raise SlipwayError(
                f"the key does not sign: {error}",
                where="slipway.toml: [signing]",
                fix="see that it is there and this role may use it: slipway keys list",
            ) from error
        if "bundle" in signature.unrecognized_fields:
            # SigstoreSigner gives base64 where securesystemslib's own envelope wants hex
            signature.signature = base64.b64decode(signature.signature).hex()
    return _dump(made)


def open_envelope(data: bytes, kind: str, trusted: Sequence[Key]) -> OpenedEnvelope:
    """Check the signatures of an envelope by the ``trusted`` keys, and its type.

    Only the exact bytes that :func:`seal_envelope` writes are an envelope: there is one way to
    write each, so that every changed bit is noticed.

    Raises:
        ValueError: it is no envelope, or one around something else than ``kind``.
    """
    read = _parse(data)
    if read.payload_type != kind:
        raise ValueError(f"its payload is of the type {read.payload_type!r:.100}, not {kind}")
    known = {key.keyid: key for key in trusted}
    good: list[str] = []
    wrong: list[str] = []
    for keyid in read.signatures:
        if keyid not in known:
            continue
        why = _wrong(read, known[keyid])
        if why is None:
            good.append(keyid)
        else:
            wrong.append(f"the signature by {short_key_id(keyid)} {why}")
    if trusted and read.signatures and not good and not wrong:
        named = ", ".join(map(short_key_id, read.signatures))
        wrong.append(f"signed by {named}, which is none of the trusted keys")
    return OpenedEnvelope(read.payload, tuple(read.signatures), tuple(good), tuple(wrong))


def short_key_id(keyid: str) -> str:
    """The start of a key's id, as people are told."""
    return keyid[:12]


def _wrong(read: Envelope, key: Key) -> str | None:
    """What is wrong with the signature by ``key``."""
    from securesystemslib.exceptions import UnverifiedSignatureError, VerificationError

    try:
        key.verify_signature(read.signatures[key.keyid], read.pae())
    except VerificationError as error:  # the narrower of the two: there was no checking it
        return f"cannot be checked: {error}"
    except UnverifiedSignatureError:
        return "is wrong"
    return None


def _parse(data: bytes) -> Envelope:
    from securesystemslib.dsse import Envelope

    if len(data) > LARGEST:
        raise ValueError(f"{len(data)} bytes are more than any envelope has")
    try:
        read = Envelope.from_dict(json.loads(data))
        same = _dump(read) == data
    # whatever JSON it is, and whatever the library makes of it
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RecursionError,
        OverflowError,
    ) as error:
        raise ValueError(f"not a DSSE envelope: {error!r:.200}") from error
    if not same:
        raise ValueError("not a DSSE envelope as Slipway writes it: it was changed")
    return read


def _dump(envelope: Any) -> bytes:
    said = envelope.to_dict()
    # a list in the order of signing would make equal envelopes unequal
    said["signatures"].sort(key=lambda signature: str(signature["keyid"]))
    return (json.dumps(said, indent=1, sort_keys=True) + "\n").encode()
