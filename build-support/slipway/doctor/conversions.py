"""What isolates the conversion of a framework's files, and which frameworks are here."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from slipway.doctor.diagnosis import Diagnosis, State
from slipway.errors import SlipwayError
from slipway.formats.sandbox.run import Isolation

ISOLATION = "allow users namespaces: docs/installation.md#isolation-of-conversions"


def diagnose_conversions(
    isolate: Callable[[], Isolation], cached: tuple[str, ...], absent: tuple[str, ...]
) -> Iterator[Diagnosis]:
    """Yield what keeps a framework's code from this machine, and which frameworks are here."""
    try:
        isolation = isolate()
    except SlipwayError as error:
        yield Diagnosis("conversion", "missing", error.what, error.fix or ISOLATION)
    else:
        lacks = any(text.startswith("none") for text in vars(isolation).values())
        state: State = "note" if lacks else "ok"
        yield Diagnosis("conversion", state, str(isolation), ISOLATION if lacks else None)
    here, missing = ", ".join(cached) or "none", ", ".join(absent)
    installed = f"; at their first use: {missing}" if missing else ""
    yield Diagnosis("conversion", "ok", f"environments in the cache: {here}{installed}")
