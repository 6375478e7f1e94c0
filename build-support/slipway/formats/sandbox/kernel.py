"""System calls that Python's ``os`` lacks, with errors as ``OSError``."""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform

PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS, PR_SET_CHILD_SUBREAPER = 1, 38, 36
PR_CAPBSET_DROP, PR_CAP_AMBIENT, CLEAR_ALL = 24, 47, 4
CAPABILITIES = range(64)  # a kernel refuses the numbers that it does not know
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 1, 2
MS_RDONLY, MS_NOSUID, MS_NODEV = 0x1, 0x2, 0x4
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000
MNT_DETACH = 2
AT_FDCWD, AT_RECURSIVE = -100, 0x8000
ADDR_NO_RANDOMIZE = 0x0040000
MOUNT_SETATTR = 442  # from here on the numbers are those of every architecture
PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_libc = ctypes.CDLL(None, use_errno=True)


def call(number: int, *arguments: object) -> int:
    """Make a system call; text arguments are paths.

    Raises:
        OSError: the kernel refuses, or does not know the call.
    """
    return _checked(_libc.syscall(ctypes.c_long(number), *map(_argument, arguments)))


def prctl(option: int, value: int = 1) -> None:
    """Set an attribute of this process.

    Raises:
        OSError: the kernel refuses.
    """
    zero = ctypes.c_ulong(0)
    _checked(_libc.prctl(option, ctypes.c_ulong(value), zero, zero, zero))


def drop_capabilities() -> None:
    """Leave this process's next programs no capability but those to open files of other users.

    Landlock limits files whatever the capabilities are. But root's CAP_PERFMON is enough to read
    the variables of each process, which Landlock forbids others (``may_access_mm`` in the kernel's
    fork.c). Another user's programs have the ambient ones alone, which need no right to clear; the
    kernel refuses that user the rest.
    """
    with contextlib.suppress(OSError):  # before Linux 4.3 there are none
        prctl(PR_CAP_AMBIENT, CLEAR_ALL)
    for number in CAPABILITIES:
        if number not in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
            with contextlib.suppress(OSError):
                prctl(PR_CAPBSET_DROP, number)


def fix_addresses() -> None:
    """Load this process's next programs at the same addresses each time (personality(2)).

    Raises:
        OSError: the kernel refuses.
    """
    _checked(_libc.personality(ctypes.c_ulong(ADDR_NO_RANDOMIZE)))


def mount(source: str, target: str, kind: str = "", flags: int = 0, data: str = "") -> None:
    """Mount ``source``.

    Raises:
        OSError: the kernel refuses.
    """
    texts = [text.encode() or None for text in (source, target, kind)]
    _checked(_libc.mount(*texts, ctypes.c_ulong(flags), data.encode() or None))


def make_read_only(path: str, *, recursive: bool = True) -> None:
    """Make a mount, and those below it, read-only and without set-user-ID programs.

    Raises:
        OSError: the kernel refuses.
    """
    attributes = (ctypes.c_uint64 * 4)(MS_RDONLY | MS_NOSUID, 0, 0, 0)
    size = ctypes.c_size_t(ctypes.sizeof(attributes))
    below = AT_RECURSIVE if recursive else 0
    call(MOUNT_SETATTR, AT_FDCWD, path, below, ctypes.byref(attributes), size)


def change_root(folder: str) -> None:
    """Make ``folder``, a mount, the root of this process's files; nothing else can be reached.

    Raises:
        OSError: the kernel refuses.
    """
    os.chdir(folder)
    call(PIVOT_ROOT[platform.machine()], ".", ".")
    _checked(_libc.umount2(b".", MNT_DETACH))
    os.chdir("/")


def _argument(value: object) -> object:
    if isinstance(value, int):
        return ctypes.c_long(value)
    return value.encode() if isinstance(value, str) else value


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
