"""Load the key that signs releases, and the public keys that are trusted.

Keys are URIs as in securesystemslib (``file2:``, ``awskms:``, ``gcpkms:``, ``azurekms:``,
``hv:``, ``sigstore:``), or an ed25519, ECDSA or RSA key in PEM: its file, or its text in the
environment. Messages never quote a private key, only its place.
"""

from __future__ import annotations

import base64
import binascii
import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlparse

from slipway.errors import SlipwayError
from slipway.settings import Settings
from slipway.settings.release import PEM, SIGNING_KEY

if TYPE_CHECKING:
    from securesystemslib.signer import Key, Signer

SETTING = "slipway.toml: [signing]"
# base64 too, because a masked variable in GitLab has one line and no spaces
TEXT, ENCODED = PEM
FILE, KMS, SIGSTORE = "file2", "awskms", "sigstore"
# the extras of securesystemslib that are not named like their schemes
EXTRAS = {"hv": "vault", "gnupg": "crypto"}


def load_signer(settings: Settings) -> Signer | None:
    """Return the signer of the configured key, or ``None`` if no key is configured.

    Raises:
        SlipwayError: the key does not exist or cannot sign, or a library is missing.
    """
    key = settings.signing.key
    if not key:
        return None
    if key.lstrip().startswith(TEXT):
        return _signer_from_pem(key.replace("\\n", "\n").strip().encode() + b"\n", SIGNING_KEY)
    if key.startswith(ENCODED):
        try:
            return _signer_from_pem(base64.b64decode(key, validate=True), SIGNING_KEY)
        except binascii.Error:
            raise _no_signing_key("neither PEM nor base64 of it", SIGNING_KEY) from None
    scheme = key.partition(":")[0] if ":" in key else None
    if scheme is None or scheme == FILE:
        return _signer_from_file(key.removeprefix(f"{FILE}:"), settings)
    if scheme == KMS:
        return _signer_from_kms(key)
    return _signer_from_library(scheme, key, settings)


def load_trusted_keys(settings: Settings) -> list[Key]:
    """Return the public keys that ``[signing] trusted`` names.

    Raises:
        SlipwayError: a file cannot be read, or is not a public key.
    """
    return [_load_public_key(entry, settings) for entry in settings.signing.trusted]


def _signer_from_file(path: str, settings: Settings) -> Signer:
    # the variable is securesystemslib's
    base = Path(os.environ.get("CRYPTO_SIGNER_PATH_PREFIX") or settings.root)
    file = base / path
    try:
        return _signer_from_pem(file.read_bytes(), str(file))
    except (OSError, ValueError) as error:
        # without its name: it may be a part of a key, which must not get into a job's log
        why = error.strerror if isinstance(error, OSError) else "not a path"
        raise _no_signing_key(f"its file is not readable: {why}", SETTING) from None


def _signer_from_pem(data: bytes, where: str) -> Signer:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from securesystemslib.signer import CryptoSigner

    try:
        return CryptoSigner(load_pem_private_key(data, None))
    except TypeError:
        raise _no_signing_key("it is encrypted, and no password can be entered", where) from None
    except (ValueError, UnsupportedAlgorithm):
        # their messages may quote the key
        raise _no_signing_key("not a PEM private key that can sign", where) from None


def _signer_from_kms(uri: str) -> Signer:
    from botocore.exceptions import BotoCoreError, ClientError
    from securesystemslib.exceptions import UnsupportedAlgorithmError
    from securesystemslib.signer import AWSSigner

    try:
        _, public = AWSSigner.import_(uri.removeprefix(f"{KMS}:"))
        return AWSSigner.from_priv_key_uri(uri, public)
    except (BotoCoreError, ClientError, UnsupportedAlgorithmError) as error:
        raise SlipwayError(
            f"cannot sign with {uri}: {error}",
            where=SETTING,
            fix="use a KMS key for SIGN_VERIFY (ECC_NIST_P256, ECC_NIST_P384 or RSA), allow this"
            " role kms:Sign and kms:GetPublicKey, and set AWS_REGION",
        ) from error


def _signer_from_library(scheme: str, uri: str, settings: Settings) -> Signer:
    from securesystemslib.signer import SIGNER_FOR_URI_SCHEME, SigstoreSigner
    from securesystemslib.signer import Signer as Signers

    schemes = {**SIGNER_FOR_URI_SCHEME, SIGSTORE: SigstoreSigner}
    if scheme not in schemes:
        raise SlipwayError(
            "no signing key: securesystemslib does not know the scheme of its URI",
            where=SETTING,
            fix=f"use one of {', '.join(sorted(schemes))}, or a PEM file",
        )
    keys = [
        key
        for key in load_trusted_keys(settings)
        if (key.scheme == "Fulcio") == (scheme == SIGSTORE)
    ]
    if not keys:
        entry = "sigstore:?identity=…&issuer=…" if scheme == SIGSTORE else "its public key in PEM"
        raise SlipwayError(
            f"cannot sign with {scheme}: its public key or identity is missing",
            where=SETTING,
            fix=f"add {entry} to trusted",
        )
    try:
        signers = SigstoreSigner if scheme == SIGSTORE else Signers
        return signers.from_priv_key_uri(uri, keys[0])
    except Exception as error:  # "other Signer-specific errors": the library names no type
        raise SlipwayError(
            f"cannot sign with {scheme}: {error}",
            where=SETTING,
            fix="see the message above;"
            f" pip install 'securesystemslib[{EXTRAS.get(scheme, scheme)}]'",
        ) from error


def _load_public_key(entry: str, settings: Settings) -> Key:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from securesystemslib.signer import SigstoreSigner, SSlibKey

    if entry.startswith(f"{SIGSTORE}:"):
        identity = parse_qs(urlparse(entry).query)
        if set(identity) != {"identity", "issuer"}:
            raise SlipwayError(
                f"{entry} names no identity and issuer",
                where=f"{SETTING} trusted",
                fix=f"write {SIGSTORE}:?identity=…&issuer=…, as in the certificate, URL-encoded",
            )
        return SigstoreSigner.import_(identity["identity"][0], identity["issuer"][0])[1]
    file = settings.root / entry
    try:
        return SSlibKey.from_crypto(load_pem_public_key(file.read_bytes()))
    except OSError as error:
        what = f"not readable: {error.strerror}"
    except (ValueError, UnsupportedAlgorithm):
        what = "not a public key in PEM"
    raise SlipwayError(what, where=str(file), fix="slipway keys new, or correct [signing] trusted")


def _no_signing_key(what: str, where: str) -> SlipwayError:
    return SlipwayError(
        f"no signing key: {what}",
        where=where,
        fix=f"slipway keys new, and set {SIGNING_KEY} to its file",
    )
