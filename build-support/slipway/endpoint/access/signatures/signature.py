"""What a request says of its signature: in the header Authorization, or in a presigned URL.

https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import unquote

from slipway.endpoint.failure import Failure

ALGORITHM = "AWS4-HMAC-SHA256"
DATE, SESSION = "X-Amz-Date", "X-Amz-Security-Token"
TIMESTAMP = "%Y%m%dT%H%M%SZ"
TERMINATOR = "aws4_request"
SCOPE = re.compile(r"[a-z0-9_-]{1,40}")
LONGEST = 604_800  # seconds that a presigned URL may hold
LONGEST_HEADER = 16_384


@dataclass(frozen=True)
class Signature:
    """A signature of a request. ``expires_s`` is set in a presigned URL only."""

    key: str
    day: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    value: str
    when: datetime
    session: str | None
    expires_s: int | None = None

    @property
    def timestamp(self) -> str:
        """Return when it was signed, as AWS writes it."""
        return self.when.strftime(TIMESTAMP)

    @property
    def scope(self) -> str:
        """Return the credential's scope."""
        return f"{self.day}/{self.region}/{self.service}/{TERMINATOR}"


def refused(type: str, message: str) -> Failure:
    """Return a 403."""
    return Failure(403, type, message)


def incomplete(message: str) -> Failure:
    """Return the failure of a signature that lacks a part, or has one that is not as it should."""
    return refused("IncompleteSignatureException", message)


def read_signature(headers: Mapping[str, str], query: str) -> Signature:
    """Return the signature of a request with these ``headers`` and raw ``query``.

    Raises:
        Failure: there is none, or it is incomplete.
    """
    authorization = headers.get("Authorization", "")
    if not authorization and "X-Amz-Signature=" in query:
        return _presigned(query)
    if not authorization:
        raise refused("MissingAuthenticationTokenException", "Missing Authentication Token")
    algorithm, _, rest = authorization[:LONGEST_HEADER].partition(" ")
    if algorithm != ALGORITHM:
        raise incomplete(f"Unsupported AWS 'algorithm': '{ascii(algorithm[:40])[1:-1]}'.")
    parts = dict(part.strip().partition("=")[::2] for part in rest.split(","))
    needed = ("Credential", "Signature", "SignedHeaders")
    missing = [f"Authorization header requires '{name}' parameter. " for name in needed]
    missing = [text for name, text in zip(needed, missing, strict=True) if not parts.get(name)]
    when = headers.get(DATE) or headers.get("Date")
    if not when:
        missing.append("Authorization header requires existence of either a 'X-Amz-Date' or a")
        missing.append(" 'Date' header. ")
    if missing:
        raise incomplete("".join(missing).strip())
    return _signature(
        parts["Credential"],
        parts["SignedHeaders"],
        parts["Signature"],
        _time(str(when)),
        headers.get(SESSION),
        None,
    )


def _presigned(query: str) -> Signature:
    values = {
        unquote(name): unquote(value)
        for name, _, value in (pair.partition("=") for pair in query[:LONGEST_HEADER].split("&"))
    }
    needed = ("Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature")
    missing = [f"X-Amz-{name}" for name in needed if not values.get(f"X-Amz-{name}")]
    if missing:
        raise incomplete(f"AWS query-string parameters must include {', '.join(missing)}.")
    if values["X-Amz-Algorithm"] != ALGORITHM:
        raise incomplete("Unsupported AWS 'algorithm' in the query string.")
    expires = values["X-Amz-Expires"]
    if not re.fullmatch(r"[0-9]{1,6}", expires) or not 1 <= int(expires) <= LONGEST:
        raise incomplete(f"X-Amz-Expires must be between 1 and {LONGEST} seconds.")
    return _signature(
        values["X-Amz-Credential"],
        values["X-Amz-SignedHeaders"],
        values["X-Amz-Signature"],
        _time(values["X-Amz-Date"]),
        values.get(SESSION),
        int(expires),
    )


def _signature(
    credential: str,
    signed: str,
    value: str,
    when: datetime,
    session: str | None,
    expires_s: int | None,
) -> Signature:
    key, *scope = credential.split("/")
    if len(scope) != 4 or scope[3] != TERMINATOR or not all(map(SCOPE.fullmatch, scope)):
        raise incomplete(
            "Credential must have exactly 5 slash-delimited elements, e.g."
            " keyid/date/region/service/term"
        )
    names = tuple(name.lower() for name in signed.split(";"))
    if "host" not in names or len(set(names)) != len(names):
        raise refused(
            "InvalidSignatureException", "'Host' must be a 'SignedHeader' in the AWS Authorization."
        )
    return Signature(key, scope[0], scope[1], scope[2], names, value, when, session, expires_s)


def _time(text: str) -> datetime:
    try:
        if re.fullmatch(r"[0-9]{8}T[0-9]{6}Z", text):
            return datetime.strptime(text, TIMESTAMP).replace(tzinfo=UTC)
        when = parsedate_to_datetime(text)
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError, TypeError) as error:
        raise incomplete("Date must be in ISO-8601 'basic format', as 20130524T000000Z") from error
