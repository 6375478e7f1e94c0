"""Access to files, limited by Landlock: where a process may have no mounts of its own.

Source: docs.kernel.org/userspace-api/landlock.html. It needs no privilege, and Linux 5.13.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable

from slipway.formats.sandbox import kernel
from slipway.formats.sandbox.mounts import DEVICES, SYSTEM

CREATE, ADD_RULE, RESTRICT = 444, 445, 446
ABI_VERSION = 1  # a flag: return the newest ABI
PATH_BENEATH = 1
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1, 2, 4, 8
READ = EXECUTE | READ_FILE | READ_DIR
OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | 1 << 14 | 1 << 15
# the number of rights that each ABI knows: 13, then REFER, TRUNCATE, and from the fifth IOCTL_DEV
RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}
ALL = 16


class _Rule(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32)]


def restrict(work: str, readable: Iterable[str]) -> None:
    """Let this process read the system's programs, /proc and ``readable``, and change ``work``.

    Its children are restricted as well. The caller has set NO_NEW_PRIVS.

    Raises:
        OSError: the kernel has no Landlock, or it is off.
    """
    abi = kernel.call(CREATE, None, 0, ABI_VERSION)
    handled = (1 << RIGHTS.get(abi, ALL)) - 1
    attributes = ctypes.c_uint64(handled)
    ruleset = kernel.call(CREATE, ctypes.byref(attributes), ctypes.sizeof(attributes), 0)
    for path in (*SYSTEM, "/proc", *readable):
        _allow(ruleset, path, READ)
    for path in DEVICES:
        _allow(ruleset, path, READ_FILE | WRITE_FILE)
    for path in (work, "/dev/shm"):
        _allow(ruleset, path, handled)
    kernel.call(RESTRICT, ruleset, 0)
    os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # not on this machine
    if not os.path.isdir(path):
        rights &= OF_FILES
    rule = _Rule(rights, parent)
    kernel.call(ADD_RULE, ruleset, PATH_BENEATH, ctypes.byref(rule), 0)
    os.close(parent)
