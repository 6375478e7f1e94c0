"""Write sizes and times for people."""

from __future__ import annotations

from datetime import UTC, datetime

AGES = (("d", 86400), ("h", 3600), ("min", 60))


def format_bytes(count: int) -> str:
    """Return a number of bytes with three digits, in the unit that fits: ``34.1 MB``."""
    amount, unit = float(count), "bytes"
    for larger in ("kB", "MB", "GB", "TB"):
        if amount < 1000:
            break
        amount, unit = amount / 1000, larger
    return f"{count} bytes" if unit == "bytes" else f"{amount:.3g} {unit}"


def format_bytes_evenly(count: float) -> str:
    """Return a number of bytes with the same decimals for each size of a unit, to compare them."""
    if count < 1e6:
        return f"{count / 1e3:.3g} kB"
    return format_megabytes(count) if count < 1e9 else f"{count / 1e9:.2f} GB"


def format_megabytes(count: float, decimals: int = 1) -> str:
    """Return a number of bytes in megabytes: ``34.1 MB``."""
    return f"{count / 1e6:.{decimals}f} MB"


def format_milliseconds(seconds: float, digits: int = 3) -> str:
    """Return ``seconds`` in milliseconds, with so many significant digits: ``12.3 ms``."""
    return f"{seconds * 1e3:.{digits}g} ms"


def format_seconds(seconds: float) -> str:
    """Return a duration as ``4.2 s``, ``3 min 20 s`` or ``2 h 5 min``."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def format_minute(when: str) -> str:
    """Return a time in ISO 8601 to the minute, without its zone: ``2026-03-04 05:06``."""
    return when[:16].replace("T", " ")


def format_age(when: str, now: datetime | None = None) -> str:
    """Return how long ago ``when`` (ISO 8601) was, such as ``3 h ago``, or ``when`` itself."""
    try:
        age_s = ((now or datetime.now(UTC)) - datetime.fromisoformat(when)).total_seconds()
    except (ValueError, TypeError):
        return when
    for unit, seconds in AGES:
        if age_s >= seconds:
            return f"{int(age_s // seconds)} {unit} ago"
    return "just now"
