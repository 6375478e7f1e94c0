"""Give up what a program that is not trusted must not have, and become that program.

Started as ``python -P -S -m slipway.formats.sandbox.launch ORDERS PROGRAM …``; ORDERS is JSON:
``root`` (an empty folder), ``folders`` (by name; only ``work`` can be changed), ``readable``,
``variables`` (its environment), ``loopback`` (whether it needs that) and ``report``, a file
descriptor for what isolation there is. ``%work%`` and the like in arguments and variables become
the place that the folder has for the program: the same each time, where it has a root of its own.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import resource
import signal
import socket
import struct
import sys
from typing import Any

from slipway.formats.sandbox import kernel, landlock, mounts, processes, seccomp

NAMESPACES = os.CLONE_NEWUSER | os.CLONE_NEWNS | os.CLONE_NEWPID | os.CLONE_NEWNET | os.CLONE_NEWIPC
SIOCSIFFLAGS, IFF_UP = 0x8914, 0x1
INSIDE = 1000  # its user there: not root, which could undo the mounts
LARGEST_FILE = 16 << 30  # bytes
OPEN_FILES = 4096


def main() -> None:
    """Isolate this process as far as the kernel allows; run the program."""
    orders = json.loads(sys.argv[1])
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER)
    _limit_resources()
    reason = _enter_namespaces()
    _become_child()
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS)
    places, files = _limit_files(orders, reason)
    report = {"files": files}
    if reason is None:
        report.update(network="a network namespace", processes="a namespace of processes")
    else:
        kernel.drop_capabilities()
        report.update(network=_limit_network(orders, reason), processes=f"none: {reason}")
    with open(orders["report"], "w", encoding="utf-8") as stream:
        json.dump(report, stream)
    if reason is None:
        _become_child()  # the first of a namespace ignores signals, such as that of abort()
    with contextlib.suppress(OSError):
        kernel.fix_addresses()  # frameworks write ids of objects, which are their addresses
    os.chdir(places["work"])
    argv = [_placed(argument, places) for argument in sys.argv[2:]]
    variables = {name: _placed(text, places) for name, text in orders["variables"].items()}
    os.execve(argv[0], argv, variables)


def _placed(text: str, places: dict[str, str]) -> str:
    for name, place in places.items():
        text = text.replace(f"%{name}%", place)
    return text


def _enter_namespaces() -> str | None:
    """Enter namespaces of users, mounts, processes and network; return why not, if not."""
    user, group = os.getuid(), os.getgid()
    try:
        os.unshare(NAMESPACES)
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"{INSIDE} {user} 1")
        _write("/proc/self/gid_map", f"{INSIDE} {group} 1")
        with socket.socket() as any_socket:
            up = struct.pack("16sh14x", b"lo", IFF_UP)
            fcntl.ioctl(any_socket, SIOCSIFFLAGS, up)
    except OSError as error:
        return f"this kernel allows no namespaces here ({error.strerror})"
    return None


def _become_child() -> None:
    """Go on in a child; this process waits, and ends as the child does."""
    child = os.fork()
    if child == 0:
        kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
        return
    while True:
        ended, status = os.wait()
        if ended == child:
            processes.kill_descendants(os.getpid())
            code = os.waitstatus_to_exitcode(status)
            os._exit(code if code >= 0 else 128 - code)


def _limit_files(orders: dict[str, Any], reason: str | None) -> tuple[dict[str, str], str]:
    """Limit files; return the places of the folders for the program, and by what it is limited."""
    folders = orders["folders"]
    try:
        if reason is None:
            places = {name: f"{mounts.PLACE}/{name}" for name in folders}
            shown = {places[name]: folder for name, folder in folders.items()}
            mounts.enter(orders["root"], shown, places["work"], orders["readable"])
            return places, "a root of its own"
    except OSError as error:
        reason = f"this kernel allows no mounts here ({error.strerror})"
    try:
        others = [folder for name, folder in folders.items() if name != "work"]
        landlock.restrict(folders["work"], [*orders["readable"], *others])
    except OSError as error:
        return folders, f"none: {reason}, and no Landlock ({error.strerror})"
    return folders, "Landlock"


def _limit_network(orders: dict[str, Any], reason: str) -> str:
    if orders["loopback"]:
        return f"none: {reason}, and the framework needs local sockets"
    try:
        seccomp.refuse_sockets()
    except OSError as error:
        return f"none: {reason}, and no filter of system calls ({error.strerror})"
    return "a filter of system calls"


def _limit_resources() -> None:
    limits = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: LARGEST_FILE,
        resource.RLIMIT_NOFILE: OPEN_FILES,
    }
    for name, most in limits.items():
        hard = resource.getrlimit(name)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(name, (most, most))
    with contextlib.suppress(OSError):
        _write("/proc/self/oom_score_adj", "1000")  # the first to go, if the machine lacks memory


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


if __name__ == "__main__":
    main()
