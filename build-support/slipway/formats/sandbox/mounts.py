"""A root of files of its own: the system's programs and libraries and what is named, no more."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from slipway.formats.sandbox import kernel

SYSTEM = (
    *("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64"),
    *("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives"),
    *("/etc/localtime", "/etc/passwd", "/etc/group", "/etc/nsswitch.conf", "/etc/fonts"),
    "/sys/devices/system",  # numbers of processors
)
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
PLACE = "/slipway"  # of the folders that a program works with
MEMORY = {"/tmp": "size=64m", "/dev/shm": "size=512m"}
ROOT = "size=16m,mode=755"  # of folders only


def enter(root: str, shown: Mapping[str, str], work: str, readable: Iterable[str]) -> None:
    """Make a new root at the empty folder ``root``.

    ``readable`` are at their places. ``shown`` are folders by other places, of which only ``work``
    can be written to. It is the caller's own mount namespace.

    Raises:
        OSError: the kernel refuses; nothing has changed then that a program could see.
    """
    kernel.mount("none", "/", flags=kernel.MS_REC | kernel.MS_PRIVATE)
    flags = kernel.MS_NOSUID | kernel.MS_NODEV
    kernel.mount("tmpfs", root, "tmpfs", flags, ROOT)
    for folder, size in MEMORY.items():
        os.makedirs(root + folder)
        kernel.mount("tmpfs", root + folder, "tmpfs", flags, f"{size},mode=1777")
    for path in dict.fromkeys((*SYSTEM, *readable)):
        _show(path, root)
    for path in DEVICES:
        _bind(path, root + path)
    os.symlink("/proc/self/fd", f"{root}/dev/fd")
    for place, folder in shown.items():
        _bind(folder, root + place)
        if place != work:
            kernel.make_read_only(root + place)
    os.makedirs(f"{root}/proc")
    try:
        kernel.mount("proc", f"{root}/proc", "proc", flags)
    except OSError:  # a container hides parts of its own, and so all of a new one
        kernel.mount("/proc", f"{root}/proc", flags=kernel.MS_BIND | kernel.MS_REC)
    kernel.change_root(root)
    kernel.make_read_only("/", recursive=False)


def _show(path: str, root: str) -> None:
    """Show ``path`` in the new root, read-only: links as links, and what they lead to."""
    link = _first_link(path)
    if link is None:
        if os.path.exists(path):
            _bind(path, root + path)
            kernel.make_read_only(root + path)
        return
    target = os.readlink(link)
    if not os.path.lexists(root + link):
        os.makedirs(os.path.dirname(root + link), exist_ok=True)
        os.symlink(target, root + link)
    beside = os.path.join(os.path.dirname(link), target)
    _show(os.path.normpath(beside + path[len(link) :]), root)


def _first_link(path: str) -> str | None:
    """Return the shortest beginning of ``path`` that is a link."""
    parts = path.split("/")[1:]
    prefixes = ("/" + "/".join(parts[:length]) for length in range(1, len(parts) + 1))
    return next((prefix for prefix in prefixes if os.path.islink(prefix)), None)


def _bind(path: str, target: str) -> None:
    """Show ``path`` at ``target``, of which no part is a link: one would lead out of the root."""
    if os.path.isdir(path):
        os.makedirs(target, exist_ok=True)
    elif not os.path.exists(target):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        open(target, "x").close()
    kernel.mount(path, target, flags=kernel.MS_BIND | kernel.MS_REC)
