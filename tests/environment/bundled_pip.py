"""The pip that comes with Python, to compare with: no test installs one."""

from __future__ import annotations

import ensurepip
import sysconfig
from pathlib import Path


def bundled_pip() -> Path:
    """Return pip's wheel: in ensurepip, or where Debian and Fedora keep it."""
    folders = [Path(ensurepip.__file__).parent / "_bundled"]
    elsewhere = sysconfig.get_config_var("WHEEL_PKG_DIR")
    folders += [Path(elsewhere)] if elsewhere else []
    return next(wheel for folder in folders for wheel in folder.glob("pip-*.whl"))
