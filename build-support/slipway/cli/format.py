"""Write the times, sizes and target models of releases for people."""

from __future__ import annotations

import re
from datetime import UTC, datetime

COMMIT_DIGITS = 7
DIGEST_DIGITS = 8  # with the h before them; enough to distinguish staging's target models
STAGED = re.compile(rf"-rc\.(h[0-9a-f]{{{DIGEST_DIGITS - 1}}})[0-9a-f]*")
UNITS = (("d", 86400), ("h", 3600), ("min", 60))


def size(count: int) -> str:
    """Return a number of bytes in the unit that fits, such as ``34.1 MB``."""
    amount, unit = float(count), "bytes"
    for larger in ("kB", "MB", "GB", "TB"):
        if amount < 1000:
            break
        amount, unit = amount / 1000, larger
    return f"{count} bytes" if unit == "bytes" else f"{amount:.3g} {unit}"


def age(when: str, now: datetime | None = None) -> str:
    """Return how long ago ``when`` (ISO 8601) was, such as ``3 h ago``, or ``when`` itself."""
    try:
        age_s = ((now or datetime.now(UTC)) - datetime.fromisoformat(when)).total_seconds()
    except (ValueError, TypeError):
        return when
    for unit, seconds in UNITS:
        if age_s >= seconds:
            return f"{int(age_s // seconds)} {unit} ago"
    return "just now"


def minute(when: str) -> str:
    """Return a time in ISO 8601 to the minute, without its zone."""
    return when[:16].replace("T", " ")


def commit(full: str | None) -> str:
    """Return a commit's first digits, with an asterisk if tracked files differed from it."""
    if full is None:
        return ""
    digits, _, dirty = full.partition("-")
    return digits[:COMMIT_DIGITS] + ("*" if dirty else "")


def pipeline(address: str | None) -> str:
    """Return a pipeline's number from its address, such as ``#812``; empty without a pipeline."""
    return "" if not address else f"#{address.rstrip('/').rpartition('/')[2]}"


def release(name: str, text: str) -> str:
    """Return a target model of ``name``, or an alias as text, in short.

    What is left is the release version, and in staging the first digits of the digest.
    """
    return STAGED.sub(r" \1", text.replace(f"{name}_", "").replace(".tar.gz", ""))
