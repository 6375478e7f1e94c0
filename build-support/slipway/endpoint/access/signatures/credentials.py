"""The credentials whose signatures an endpoint accepts: a file as ``~/.aws/credentials``.

https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html
"""

from __future__ import annotations

import configparser
import stat
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from slipway.errors import SlipwayError

KEY, SECRET, TOKEN = "aws_access_key_id", "aws_secret_access_key", "aws_session_token"
# of our own; other programs ignore them
ROLE, EXPIRATION = "role", "expiration"
KNOWN = {KEY, SECRET, TOKEN, ROLE, EXPIRATION, "region", "output"}


@dataclass(frozen=True)
class Credentials:
    """One section: an access key with its secret, and the role that it acts as.

    ``session`` is the token of temporary credentials, which end at ``expires``.
    """

    profile: str
    key: str
    secret: str = field(repr=False)
    session: str | None = field(default=None, repr=False)
    role: str | None = None
    expires: datetime | None = None


def read_credentials(path: Path) -> dict[str, Credentials]:
    """Return the credentials of a file by their access key.

    Raises:
        SlipwayError: it cannot be read, others may read it, it is not as AWS's, it has none, or a
            key twice.
    """
    parser = configparser.RawConfigParser()
    fix = f"a section for each caller, as in ~/.aws/credentials, with {KEY} and {SECRET}"
    try:
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise SlipwayError(
                "others can read these secrets", where=str(path), fix=f"chmod 600 {path}"
            )
        parser.read_string(path.read_text(encoding="utf-8"), str(path))
    except OSError as error:
        raise SlipwayError(
            f"cannot read the credentials: {error.strerror}", where=str(path), fix=fix
        ) from error
    except (UnicodeDecodeError, configparser.Error) as error:
        # configparser's own messages quote lines, which may be secrets
        line = getattr(error, "lineno", None)
        raise SlipwayError(
            "not an INI file", where=f"{path}:{line}" if line else str(path), fix=fix
        ) from None
    found: dict[str, Credentials] = {}
    for section in parser.sections():
        one = _credentials(path, section, dict(parser.items(section)))
        if one.key in found:
            raise SlipwayError(
                f"[{found[one.key].profile}] and [{section}] have the same {KEY}",
                where=str(path),
                fix="give each caller a key of its own",
            )
        found[one.key] = one
    if not found:
        raise SlipwayError("no credentials", where=str(path), fix=fix)
    return found


def _credentials(path: Path, section: str, values: dict[str, str]) -> Credentials:
    where = f"{path}: [{section}]"
    unknown = sorted(set(values) - KNOWN)
    if unknown:
        raise SlipwayError(
            f"unknown {', '.join(unknown)}",
            where=where,
            fix=f"remove it; known are: {', '.join(sorted(KNOWN))}",
        )
    for name in (KEY, SECRET):
        if not values.get(name):
            raise SlipwayError(f"{name} is missing", where=where, fix=f"{name} = …")
    key = values[KEY]
    if not key.isascii() or "/" in key or any(c.isspace() or c in ",=" for c in key):
        raise SlipwayError(
            f"{KEY} cannot be part of a signature",
            where=where,
            fix="letters and digits, such as AKIAIOSFODNN7EXAMPLE",
        )
    return Credentials(
        section,
        key,
        values[SECRET],
        values.get(TOKEN) or None,
        values.get(ROLE) or None,
        _expiration(values.get(EXPIRATION), where),
    )


def _expiration(text: str | None, where: str) -> datetime | None:
    if not text:
        return None
    try:
        when = datetime.fromisoformat(text)
    except ValueError as error:
        raise SlipwayError(
            f"{EXPIRATION} is {text!r}", where=where, fix="such as 2026-12-01T12:00:00Z"
        ) from error
    return when if when.tzinfo else when.replace(tzinfo=UTC)
