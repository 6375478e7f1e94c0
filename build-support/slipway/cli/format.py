"""How times, sizes and targets of releases are written for people."""

from __future__ import annotations

import re
from datetime import UTC, datetime

COMMIT_DIGITS = 7
DIGEST_DIGITS = 8  # and the h before them: what tells staging's target models apart
STAGED = re.compile(rf"-rc\.(h[0-9a-f]{{{DIGEST_DIGITS - 1}}})[0-9a-f]*")
UNITS = (("d", 86400), ("h", 3600), ("min", 60))


def size(count: int) -> str:
    """Bytes in the unit that fits, such as ``34.1 MB``."""
    amount, unit = float(count), "bytes"
    for larger in ("kB", "MB", "GB", "TB"):
        if amount < 1000:
            break
        amount, unit = amount / 1000, larger
    return f"{count} bytes" if unit == "bytes" else f"{amount:.3g} {unit}"


def age(when: str, now: datetime | None = None) -> str:
    """How long ago ``when`` (ISO 8601) was, such as ``3 h ago``; as it stands if it is no time."""
    try:
        gone = ((now or datetime.now(UTC)) - datetime.fromisoformat(when)).total_seconds()
    except (ValueError, TypeError):
        return when
    for unit, seconds in UNITS:
        if gone >= seconds:
            return f"{int(gone // seconds)} {unit} ago"
    return "just now"


def minute(when: str) -> str:
    """A time in ISO 8601, to the minute."""
    return when[:16].replace("T", " ")


def commit(given: str | None) -> str:
    """A commit's first digits; a mark behind them says that tracked files differed from it."""
    if given is None:
        return ""
    digits, _, dirty = given.partition("-")
    return digits[:COMMIT_DIGITS] + ("*" if dirty else "")


def pipeline(address: str | None) -> str:
    """A pipeline's number in its address, such as ``#812``; nothing on a laptop."""
    return "" if not address else f"#{address.rstrip('/').rpartition('/')[2]}"


def release(name: str, text: str) -> str:
    """A target model of ``name``, or an alias as text, without what all of them have: a version,
    and in staging the first digits of the digest."""
    return STAGED.sub(r" \1", text.replace(f"{name}_", "").replace(".tar.gz", ""))
