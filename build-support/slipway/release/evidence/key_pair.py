"""Create an ed25519 key pair: a private key for the pipeline, a public one for the repository."""

from __future__ import annotations

import os
from pathlib import Path

from slipway.errors import SlipwayError


def create_key_pair(private: Path, public: Path, root: Path) -> str:
    """Write a new pair in PEM, and return the key's id. Only its owner can read ``private``.

    Raises:
        SlipwayError: a file exists, which is never overwritten, or cannot be written; or
            ``private`` is in a folder that git tracks.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
    from securesystemslib.signer import CryptoSigner

    inside = private.resolve().is_relative_to(root.resolve())
    if inside and private.resolve().relative_to(root.resolve()).parts[0] != ".slipway":
        raise SlipwayError(
            "a private key inside the repository is one mistake away from being public",
            where=str(private),
            fix="name a file outside of it, or below .slipway/, which git ignores",
        )
    for file in (private, public):
        if file.exists():
            raise SlipwayError(
                "the file exists already", where=str(file), fix="name another file, or move it away"
            )
    key = Ed25519PrivateKey.generate()
    signer = CryptoSigner(key)
    _write(private, signer.private_bytes, 0o600)
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    _write(public, pem, 0o644)
    return signer.public_key.keyid


def _write(file: Path, data: bytes, mode: int) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        # created with its mode, not changed to it later; O_EXCL refuses an existing file
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with open(descriptor, "wb") as out:
            out.write(data)
    except OSError as error:
        raise SlipwayError(
            f"not writable: {error.strerror}", where=str(file), fix="name another file"
        ) from error
