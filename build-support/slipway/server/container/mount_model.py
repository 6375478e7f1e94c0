"""Run a program that sees its model at ``/opt/ml/model``, as SageMaker's containers do.

A separate script (``python -I -S mount_model.py ORDERS PROGRAM …``, standard library only): it
moves itself into a mount namespace, mounts the folder there, and becomes the program in it. ORDERS
is JSON: ``folder``, the extracted artifact; ``at``, where the program looks for it; ``work``, an
empty folder; and ``temporary``, the folder that is its ``/tmp``, unless it needs files of the
machine's.

Where the kernel allows no such namespace, it writes the reason to ``work/not-mounted``, and the
program runs in ``folder`` itself. ``SAGEMAKER_BASE_DIR`` then names the folder above, which AWS's
toolkit (sagemaker-inference, environment.py) reads.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys

CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000
PR_SET_PDEATHSIG = 1
NOT_MOUNTED = "not-mounted"
BASE = "SAGEMAKER_BASE_DIR"
libc = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    """Mount the model and become the program."""
    orders = json.loads(sys.argv[1])
    try:
        _enter_namespace()
        _show(orders["folder"], orders["at"], orders["work"])
        os.chdir(orders["at"])
        if "temporary" in orders:
            _mount(orders["temporary"], "/tmp", None, MS_BIND)
            os.environ["TMPDIR"] = os.environ["HOME"] = "/tmp"
    except OSError as error:
        with open(os.path.join(orders["work"], NOT_MOUNTED), "w", encoding="utf-8") as file:
            file.write(str(error))
        os.environ[BASE] = os.path.dirname(orders["folder"])
        os.chdir(orders["folder"])
    # a change of credentials may have cleared it
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    os.execvp(sys.argv[2], sys.argv[2:])


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


def _show(folder: str, at: str, work: str) -> None:
    """Mount ``folder`` at ``at``. Where the machine has no such folder, its first one (``/opt``) is
    covered by one that has: with the entries of the machine's, and the way to ``at``."""
    if not os.path.isdir(at):
        top = os.path.join("/", at.split("/")[1])
        cover = os.path.join(work, "cover")
        os.mkdir(cover)
        _mount("tmpfs", cover, "tmpfs", 0)
        for entry in os.listdir(top):
            source, place = os.path.join(top, entry), os.path.join(cover, entry)
            if os.path.islink(source):
                os.symlink(os.readlink(source), place)
            elif os.path.isdir(source):
                os.mkdir(place)
                _mount(source, place, None, MS_BIND | MS_REC)
        os.makedirs(os.path.join(cover, os.path.relpath(at, top)), exist_ok=True)
        _mount(cover, top, None, MS_BIND | MS_REC)
    _mount(folder, at, None, MS_BIND)


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
