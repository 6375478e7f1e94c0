"""Issue and read tokens: JWTs that are signed with EdDSA (RFC 7519, RFC 8037)."""

from __future__ import annotations

import secrets
from collections.abc import Container, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slipway.endpoint.access.tokens import keys, record
from slipway.endpoint.access.tokens.grant import ACTIONS, Action, Grant
from slipway.errors import SlipwayError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

# the only algorithm that is read, whatever a token's header says
ALGORITHM = "EdDSA"
TYPE = "slipway+jwt"
ISSUER, AUDIENCE = "slipway", "slipway-endpoint"
REQUIRED = ["iss", "aud", "sub", "iat", "nbf", "exp", "jti"]
LONGEST = 4096  # characters of a token that is read
SKEW = timedelta(seconds=60)  # between the clocks of who issues and who verifies


class BadToken(Exception):
    """A token that is not accepted, and why. The reason holds nothing of the token."""


def check_subject(subject: str) -> str:
    """Return who a token is for.

    Raises:
        SlipwayError: it cannot be shown in a line.
    """
    if not subject.isprintable() or not 0 < len(subject) <= 64:
        raise SlipwayError(
            f"{subject!r:.80} names nobody", fix="a name of 1 to 64 printable characters"
        )
    return subject


def issue(
    folder: Path,
    subject: str,
    lifetime: timedelta,
    *,
    actions: tuple[Action, ...] = ACTIONS,
    targets: tuple[str, ...] = ("*",),
    endpoints: tuple[str, ...] = ("*",),
) -> tuple[str, Grant]:
    """Return a new token, and what it allows; the list of ``folder`` has the latter.

    Raises:
        SlipwayError: the key cannot be used, or there are too many tokens.
    """
    import jwt

    kid, key = keys.load_private_key(folder)
    now = datetime.now(UTC).replace(microsecond=0)
    grant = Grant(secrets.token_hex(8), subject, now, now + lifetime, actions, targets, endpoints)
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": subject,
        "iat": now,
        "nbf": now,
        "exp": grant.expires,
        "jti": grant.id,
        "actions": list(actions),
        "targets": list(targets),
        "endpoints": list(endpoints),
    }
    token = jwt.encode(claims, key, ALGORITHM, headers={"kid": kid, "typ": TYPE})
    record.add(folder, grant)
    return token, grant


def read_token(
    token: str, public: Mapping[str, Ed25519PublicKey], revoked: Container[str]
) -> Grant:
    """Return what ``token`` allows.

    Raises:
        BadToken: it is not signed by one of ``public``, not valid now, revoked, or incomplete.
    """
    import jwt

    if len(token) > LONGEST:
        raise BadToken("it is too long")
    try:
        header = jwt.get_unverified_header(token)
        # PyJWT compares alg with the list itself, too; a key of the header (jwk, jku) is never used
        if header.get("alg") != ALGORITHM or header.get("typ") != TYPE or "crit" in header:
            raise BadToken("it is not one of Slipway's")
        key = public.get(header.get("kid", ""))
        if key is None:
            raise BadToken("its key is unknown here, or was replaced")
        claims = jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            issuer=ISSUER,
            leeway=SKEW,
            options={"require": REQUIRED, "strict_aud": True},
        )
        grant = _grant(claims)
    except jwt.ExpiredSignatureError:
        raise BadToken("it has expired") from None
    except jwt.ImmatureSignatureError:
        raise BadToken("it is not valid yet") from None
    # what a hostile token can make of a library is not foreseen; all of it is a refusal
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError, OverflowError):
        raise BadToken("it is not one of Slipway's") from None
    if grant.id in revoked:
        raise BadToken("it was revoked")
    return grant


def _grant(claims: Mapping[str, Any]) -> Grant:
    texts = {name: claims.get(name) for name in ("actions", "targets", "endpoints")}
    for value in texts.values():
        if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
            raise BadToken("it is not one of Slipway's")
    return Grant(
        str(claims["jti"]),
        str(claims["sub"]),
        datetime.fromtimestamp(int(claims["iat"]), UTC),
        datetime.fromtimestamp(int(claims["exp"]), UTC),
        tuple(action for action in ACTIONS if action in claims["actions"]),
        tuple(claims["targets"]),
        tuple(claims["endpoints"]),
    )
