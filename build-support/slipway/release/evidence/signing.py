"""The keys: which one signs releases, and which ones are trusted to have signed them.

Keys are URIs as securesystemslib has them (``file2:``, ``awskms:``, ``gcpkms:``, ``azurekms:``,
``hv:``, ``sigstore:``), or an ed25519, ECDSA or RSA key in PEM: its file, or its text in the
environment. No message says anything of a private key but where it is.
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
# in base64, because a masked variable of GitLab's has one line and no spaces
TEXT, ENCODED = PEM
FILE, KMS, SIGSTORE = "file2", "awskms", "sigstore"
EXTRAS = {"hv": "vault", "gnupg": "crypto"}  # of securesystemslib, where it is not the scheme


def load_signer(settings: Settings) -> Signer | None:
    """What signs with the configured key, or ``None`` if there is none.

    Raises:
        SlipwayError: there is no such key, it is of no kind that signs, or a library is missing.
    """
    key = settings.signing.key
    if not key:
        return None
    if key.lstrip().startswith(TEXT):
        return _of_pem(key.replace("\\n", "\n").strip().encode() + b"\n", SIGNING_KEY)
    if key.startswith(ENCODED):
        try:
            return _of_pem(base64.b64decode(key, validate=True), SIGNING_KEY)
        except binascii.Error:
            raise _unusable("neither PEM nor base64 of it", SIGNING_KEY) from None
    scheme = key.partition(":")[0] if ":" in key else None
    if scheme is None or scheme == FILE:
        return _of_file(key.removeprefix(f"{FILE}:"), settings)
    if scheme == KMS:
        return _of_kms(key)
    return _of_library(scheme, key, settings)


def load_trusted_keys(settings: Settings) -> list[Key]:
    """The public keys that ``[signing] trusted`` names.

    Raises:
        SlipwayError: one of them cannot be read, or is none.
    """
    return [_public(entry, settings) for entry in settings.signing.trusted]


def _of_file(path: str, settings: Settings) -> Signer:
    base = Path(os.environ.get("CRYPTO_SIGNER_PATH_PREFIX") or settings.root)  # securesystemslib's
    file = base / path
    try:
        return _of_pem(file.read_bytes(), str(file))
    except (OSError, ValueError) as error:
        # not its name: whoever puts half a key into the variable finds it in a job's log otherwise
        why = error.strerror if isinstance(error, OSError) else "it is no path"
        raise _unusable(f"the file that it names is not readable: {why}", SETTING) from None


def _of_pem(data: bytes, where: str) -> Signer:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from securesystemslib.signer import CryptoSigner

    try:
        return CryptoSigner(load_pem_private_key(data, None))
    except TypeError:
        raise _unusable("it is encrypted, and no password can be entered", where) from None
    except (ValueError, UnsupportedAlgorithm):
        # their messages may quote it
        raise _unusable("not a PEM private key that can sign", where) from None


def _of_kms(uri: str) -> Signer:
    from botocore.exceptions import BotoCoreError, ClientError
    from securesystemslib.exceptions import UnsupportedAlgorithmError
    from securesystemslib.signer import AWSSigner

    try:
        _, public = AWSSigner.import_(uri.removeprefix(f"{KMS}:"))
        return AWSSigner.from_priv_key_uri(uri, public)
    except (BotoCoreError, ClientError, UnsupportedAlgorithmError) as error:
        raise SlipwayError(
            f"no signing with {uri}: {error}",
            where=SETTING,
            fix="a key of KMS for SIGN_VERIFY (ECC_NIST_P256, ECC_NIST_P384 or RSA), kms:Sign and"
            " kms:GetPublicKey for this role, and AWS_REGION",
        ) from error


def _of_library(scheme: str, uri: str, settings: Settings) -> Signer:
    from securesystemslib.signer import SIGNER_FOR_URI_SCHEME, SigstoreSigner
    from securesystemslib.signer import Signer as Signers

    known = {**SIGNER_FOR_URI_SCHEME, SIGSTORE: SigstoreSigner}
    if scheme not in known:
        raise SlipwayError(
            "no signing key: its URI has a scheme that securesystemslib does not know",
            where=SETTING,
            fix=f"one of {', '.join(sorted(known))}, or a file of PEM",
        )
    keys = [
        key
        for key in load_trusted_keys(settings)
        if (key.scheme == "Fulcio") == (scheme == SIGSTORE)
    ]
    if not keys:
        entry = "sigstore:?identity=…&issuer=…" if scheme == SIGSTORE else "its public key in PEM"
        raise SlipwayError(
            f"signing with {scheme}: needs what it signs as",
            where=SETTING,
            fix=f"add {entry} to trusted",
        )
    try:
        signers = SigstoreSigner if scheme == SIGSTORE else Signers
        return signers.from_priv_key_uri(uri, keys[0])
    except Exception as error:  # "other Signer-specific errors": the library names no type
        raise SlipwayError(
            f"no signing with {scheme}: {error}",
            where=SETTING,
            fix="see the message above;"
            f" pip install 'securesystemslib[{EXTRAS.get(scheme, scheme)}]'",
        ) from error


def _public(entry: str, settings: Settings) -> Key:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from securesystemslib.signer import SigstoreSigner, SSlibKey

    if entry.startswith(f"{SIGSTORE}:"):
        who = parse_qs(urlparse(entry).query)
        if set(who) != {"identity", "issuer"}:
            raise SlipwayError(
                f"{entry} does not say who signs",
                where=f"{SETTING} trusted",
                fix=f"{SIGSTORE}:?identity=…&issuer=…, as the certificate has them, URL-encoded",
            )
        return SigstoreSigner.import_(who["identity"][0], who["issuer"][0])[1]
    file = settings.root / entry
    try:
        return SSlibKey.from_crypto(load_pem_public_key(file.read_bytes()))
    except OSError as error:
        what = f"not readable: {error.strerror}"
    except (ValueError, UnsupportedAlgorithm):
        what = "not a public key in PEM"
    raise SlipwayError(what, where=str(file), fix="slipway keys new, or correct [signing] trusted")


def _unusable(what: str, where: str) -> SlipwayError:
    return SlipwayError(
        f"no signing key: {what}",
        where=where,
        fix=f"slipway keys new, and let {SIGNING_KEY} name its file",
    )
