"""The launcher on a kernel that allows no namespaces, as most containers of a pipeline are."""

from __future__ import annotations

import os
from errno import EPERM
from typing import NoReturn

from slipway.formats.sandbox import launch


def refuse(flags: int) -> NoReturn:
    """Fail as the kernel does there."""
    raise PermissionError(EPERM, os.strerror(EPERM))


if __name__ == "__main__":
    os.unshare = refuse
    launch.main()
