"""Run a program that sees only some of this machine's shared libraries.

A separate script (``python -I -S hide_libraries.py ORDERS PROGRAM …``, standard library only): it
moves itself into a mount namespace, covers the loader's folders there with folders of links to the
visible files, and becomes the program. ORDERS is JSON: ``folder`` (an empty one, of the program)
and ``visible``, the names of libraries without their versions (``libz.so``).

Where the kernel allows no such namespace, it writes the reason to ``folder/all-visible`` and runs
the program as it is.
"""

from __future__ import annotations

import ctypes
import glob
import json
import os
import signal
import sys

CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000
PR_SET_PDEATHSIG = 1
ALL_VISIBLE = "all-visible"
CONFIGURATION = "/etc/ld.so.conf"
DEFAULT_FOLDERS = ("/lib", "/usr/lib", "/lib64", "/usr/lib64", "/usr/local/lib")
libc = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    """Hide what is not visible and become the program."""
    orders = json.loads(sys.argv[1])
    try:
        _enter_namespace()
        work = os.path.join(orders["folder"], "links")
        os.mkdir(work)
        _cover(work, set(orders["visible"]))
    except OSError as error:
        with open(os.path.join(orders["folder"], ALL_VISIBLE), "w", encoding="utf-8") as file:
            file.write(str(error))
    # a change of credentials may have cleared it
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    os.execv(sys.argv[2], sys.argv[2:])


def library_folders() -> list[str]:
    """Return the folders in which the loader searches, without links and doubles, parents first."""
    folders = [*DEFAULT_FOLDERS, *_configured(CONFIGURATION)]
    triplets = [path for base in ("/lib", "/usr/lib") for path in glob.glob(f"{base}/*-linux-gnu*")]
    return sorted({os.path.realpath(path) for path in folders + triplets if os.path.isdir(path)})


def _configured(path: str) -> list[str]:
    folders: list[str] = []
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = [line.partition("#")[0].strip() for line in file]
    except OSError:
        return folders
    for line in lines:
        if line.startswith("include "):
            pattern = os.path.join(os.path.dirname(path), line.split(None, 1)[1])
            for included in sorted(glob.glob(pattern)):
                folders += _configured(included)
        elif line:
            folders.append(line)
    return folders


def _enter_namespace() -> None:
    user, group = os.getuid(), os.getgid()
    try:
        os.unshare(CLONE_NEWNS)
    except PermissionError:
        os.unshare(CLONE_NEWUSER | CLONE_NEWNS)
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"{user} {user} 1")
        _write("/proc/self/gid_map", f"{group} {group} 1")
    _mount(None, "/", None, MS_REC | MS_PRIVATE)


def _cover(work: str, visible: set[str]) -> None:
    """Cover each of the loader's folders with links to what stays visible of it."""
    _mount("tmpfs", work, "tmpfs", 0)
    folders = library_folders()
    for number, folder in enumerate(folders):
        original, links = f"{work}/original/{number}", f"{work}/links/{number}"
        os.makedirs(original)
        os.makedirs(links)
        # with what is mounted in it: a container's runtime mounts the GPU driver's files
        _mount(folder, original, None, MS_BIND | MS_REC)
        for entry in os.listdir(folder):
            if os.path.join(folder, entry) in folders:
                os.mkdir(f"{links}/{entry}")
            elif _is_visible(entry, visible):
                os.symlink(f"{original}/{entry}", f"{links}/{entry}")
    for number, folder in enumerate(folders):
        _mount(f"{work}/links/{number}", folder, None, MS_BIND)


def _is_visible(entry: str, visible: set[str]) -> bool:
    stem, library, _ = entry.partition(".so")
    # libstdc++.so.6, and the file libdb-5.3.so of a name with a version of its own
    return not library or f"{stem}.so" in visible or not entry.startswith(("lib", "ld-"))


def _mount(source: str | None, target: str, kind: str | None, options: int) -> None:
    encoded = [text.encode() if text is not None else None for text in (source, target, kind)]
    if libc.mount(*encoded, ctypes.c_ulong(options), None) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"mounting {source} at {target}: {os.strerror(number)}")


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


if __name__ == "__main__":
    main()
