"""The key of the hashes that stand for redacted values.

A plain hash of few possible values, such as an age or a name, is undone by hashing them all. With a
key nobody can who does not have it. It is a secret: it is in no log, record or artifact.
"""

from __future__ import annotations

import hmac
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from slipway.errors import SlipwayError

VARIABLE = "SLIPWAY_CAPTURE_KEY"
LEAST = 16  # characters of the variable
SIZE = 32  # bytes of a key that is made here
HASH = 16  # bytes of a hash


@dataclass(frozen=True)
class HashKey:
    """A key for hashes; ``id`` tells two keys apart, and says nothing about either."""

    secret: bytes = field(repr=False)

    @property
    def id(self) -> str:
        """Return what a record names the key by."""
        return hmac.digest(self.secret, b"slipway capture key", "sha256")[:4].hex()

    def hash(self, tensor: str, value: bytes) -> bytes:
        """Return the hash of a value of ``tensor``, in hex: equal for equal values of a tensor."""
        message = len(tensor.encode()).to_bytes(4, "big") + tensor.encode() + value
        return hmac.digest(self.secret, message, "sha256")[:HASH].hex().encode()


def key_file() -> Path:
    """Return the file of the key that is made on this machine, for its user."""
    folder = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(folder) / "slipway" / "capture-key"


def load_hash_key() -> HashKey:
    """Return the key of ``$SLIPWAY_CAPTURE_KEY``; without it, that of the user's file, which is
    created at the first use.

    Raises:
        SlipwayError: the variable is too short, or the file can be neither read nor written.
    """
    configured = os.environ.get(VARIABLE)
    if configured:
        if len(configured) < LEAST:
            raise SlipwayError(
                f"{VARIABLE} has fewer than {LEAST} characters: such a key can be guessed",
                fix="use the output of: openssl rand -hex 32",
            )
        return HashKey(configured.encode())
    path = key_file()
    try:
        secret = _read(path) or _create(path)
    except OSError as error:
        raise SlipwayError(
            f"the key of hashes cannot be read or created: {error.strerror}",
            where=str(path),
            fix=f"set {VARIABLE} to the output of: openssl rand -hex 32",
        ) from error
    if len(secret) != SIZE:
        raise SlipwayError(
            "the key of hashes is damaged",
            where=str(path),
            fix="remove the file: a new key is made",
        )
    return HashKey(secret)


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _create(path: Path) -> bytes:
    """Create the file, readable by its owner alone; of two processes one wins, for both."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    secret = secrets.token_bytes(SIZE)
    temporary = path.with_name(f".{path.name}-{os.getpid()}-{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "wb") as file:
            file.write(secret)
        os.link(temporary, path)
        return secret
    except FileExistsError:
        return path.read_bytes()
    finally:
        temporary.unlink()
