"""Check that the packages of an extra of this distribution are installed."""

from __future__ import annotations

import importlib.util
from typing import Literal

from slipway.errors import SlipwayError

Extra = Literal["endpoint", "loadtest", "monitoring"]
# the modules of requirements-endpoint.txt, -loadtest.txt and -monitoring.txt
MODULES: dict[Extra, tuple[str, ...]] = {
    "endpoint": ("aiohttp", "jwt", "psutil", "uvloop"),
    "loadtest": ("aiohttp", "jwt", "matplotlib", "psutil", "uvloop"),
    "monitoring": ("matplotlib", "PIL", "scipy"),
}


def require(extra: Extra) -> None:
    """Raise unless the packages of ``extra`` are installed.

    Raises:
        SlipwayError: names the extra, the missing packages and the command that installs them.
    """
    missing = [name for name in MODULES[extra] if not _installed(name)]
    if missing:
        raise SlipwayError(
            f"this needs the extra {extra!r}; not installed: {', '.join(missing)}",
            fix=f"pip install 'slipway[{extra}]'",
        )


def _installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):  # an import hook refuses it, or it was blocked
        return False
