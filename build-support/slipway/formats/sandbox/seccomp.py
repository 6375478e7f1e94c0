"""No sockets but those of files, by a filter of system calls: where no network namespace can be.

Source: docs.kernel.org/userspace-api/seccomp_filter.html; the numbers are those of the kernel's
``audit.h``, ``filter.h`` and tables of system calls.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct

from slipway.formats.sandbox import kernel

SET_MODE_FILTER = 1
ALLOW, REFUSE = 0x7FFF0000, 0x00050000 | errno.EACCES
LOAD, JUMP_EQUAL, JUMP_ABOVE, RETURN = 0x20, 0x15, 0x35, 0x06
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data
IO_URING = 425  # opens sockets without the call for it
X32 = 0x40000000
AF_UNIX = 1
# audit's name of the architecture, the numbers of seccomp and socket
MACHINES = {"x86_64": (0xC000003E, 317, 41), "aarch64": (0xC00000B7, 277, 198)}


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


def refuse_sockets() -> None:
    """Refuse all sockets but Unix ones to this process and its children.

    The caller has set NO_NEW_PRIVS.

    Raises:
        OSError: the kernel has no filters, or this machine's numbers are not known.
    """
    if platform.machine() not in MACHINES:
        raise OSError(errno.ENOSYS, f"no filter for {platform.machine()}")
    architecture, seccomp, socket = MACHINES[platform.machine()]
    lines = [
        (LOAD, 0, 0, ARCHITECTURE),
        (JUMP_EQUAL, 0, 6, architecture),  # else: refuse
        (LOAD, 0, 0, NUMBER),
        (JUMP_ABOVE, 4, 0, X32),
        (JUMP_EQUAL, 3, 0, IO_URING),
        (JUMP_EQUAL, 0, 3, socket),  # else: allow
        (LOAD, 0, 0, FIRST_ARGUMENT),
        (JUMP_EQUAL, 1, 0, AF_UNIX),  # then: allow
        (RETURN, 0, 0, REFUSE),
        (RETURN, 0, 0, ALLOW),
    ]
    code = b"".join(struct.pack("HBBI", *line) for line in lines)
    program = _Program(len(lines), code)
    kernel.call(seccomp, SET_MODE_FILTER, 0, ctypes.byref(program))
