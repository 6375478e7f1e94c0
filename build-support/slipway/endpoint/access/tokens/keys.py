"""The keys of tokens: ed25519, one that signs and all that still verify, below ``.slipway/tokens``.

The private key never leaves this folder. Public keys are enough to verify, so that an endpoint on
another machine needs no secret.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from slipway.errors import SlipwayError
from slipway.files import atomic_write

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

FOLDER = Path(".slipway") / "tokens"
PRIVATE = "private.pem"
PUBLIC = "public"  # a folder: <key id>.pem
MOST = 64  # public keys


def tokens_folder(root: Path) -> Path:
    """Return the folder of a repository's keys, revocations and list of tokens."""
    return root / FOLDER


def create_key(folder: Path) -> str:
    """Create the key that signs from now on, and return its id. Earlier ones still verify."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    private = Ed25519PrivateKey.generate()
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    kid = _id(private.public_key())
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    # first the public one: a token must never be signed by a key that nobody can verify
    with atomic_write(folder / PUBLIC / f"{kid}.pem") as aside:
        aside.write_bytes(public)
    with atomic_write(folder / PRIVATE) as aside, open(aside, "xb", opener=_secret) as file:
        file.write(pem)
    return kid


def load_private_key(folder: Path) -> tuple[str, Ed25519PrivateKey]:
    """Return the key that signs, with its id; the first call creates it.

    Raises:
        SlipwayError: others may read it, or it is no ed25519 key.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    path = folder / PRIVATE
    if not path.exists():
        create_key(folder)
    if path.stat().st_mode & 0o077:
        raise SlipwayError(
            "others can read the key that signs tokens",
            where=str(path),
            fix=f"chmod 600 {path}, then replace it: slipway token rotate --revoke",
        )
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except (ValueError, TypeError) as error:
        raise _no_key(path) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise _no_key(path)
    return _id(key.public_key()), key


def load_public_keys(folder: Path) -> dict[str, Ed25519PublicKey]:
    """Return the keys that verify, by their ids.

    Raises:
        SlipwayError: a file is no ed25519 key, or has the name of another; there are too many.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    files = list((folder / PUBLIC).glob("*.pem"))
    if len(files) > MOST:
        raise SlipwayError(
            f"{len(files)} keys verify tokens, and {MOST} at most are read",
            where=str(folder / PUBLIC),
            fix="end the tokens of all but the newest: slipway token rotate --revoke",
        )
    keys: dict[str, Ed25519PublicKey] = {}
    for path in files:
        try:
            key = serialization.load_pem_public_key(path.read_bytes())
        except ValueError as error:
            raise _no_key(path) from error
        if not isinstance(key, Ed25519PublicKey) or _id(key) != path.stem:
            raise _no_key(path)
        keys[path.stem] = key
    return keys


def remove_other_keys(folder: Path, kid: str) -> int:
    """Remove all public keys but ``kid``, so that tokens by them end; return their number."""
    others = [path for path in (folder / PUBLIC).glob("*.pem") if path.stem != kid]
    for path in others:
        path.unlink(missing_ok=True)
    return len(others)


def _id(key: Ed25519PublicKey) -> str:
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:16]


def _secret(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _no_key(path: Path) -> SlipwayError:
    return SlipwayError(
        "not an ed25519 key of Slipway", where=str(path), fix=f"rm {path}; slipway token rotate"
    )
