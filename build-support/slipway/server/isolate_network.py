"""Run a program in a network namespace of its own, with a socket that leads into it.

A separate script (``python -I -S isolate_network.py ORDERS PROGRAM …``, standard library only).
ORDERS is JSON: ``folder``, which only its owner may enter, and the ``port`` on which the program
listens. Each connection to the socket ``folder/connect`` is sent a new connection to that port, as
a file descriptor, so that no byte is copied; ``folder/http`` is the port itself, for programs that
only know Unix sockets.

Where the kernel allows no such namespace, it writes the reason to ``folder/shared`` and runs the
program as it is. ``--check`` alone prints the reason and ends with status 1.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import selectors
import signal
import socket
import struct
import sys
import threading

CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
SIOCSIFFLAGS, IFF_UP = 0x8914, 0x1
CONNECT, HTTP, SHARED = "connect", "http", "shared"
BACKLOG = 128
libc = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    """Enter the namespace and become the program; a child process leads into it."""
    if sys.argv[1] == "--check":
        try:
            _enter_namespace()
        except OSError as error:
            sys.exit(str(error))
        return
    orders = json.loads(sys.argv[1])
    try:
        _enter_namespace()
    except OSError as error:
        with open(os.path.join(orders["folder"], SHARED), "w", encoding="utf-8") as file:
            file.write(str(error))
    else:
        connect, http = (_listen(orders["folder"], name) for name in (CONNECT, HTTP))
        if os.fork() == 0:
            _lead_in(connect, http, orders["port"])
        connect.close()
        http.close()
    # a change of credentials may have cleared it
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    os.execv(sys.argv[2], sys.argv[2:])


def _enter_namespace() -> None:
    user, group = os.getuid(), os.getgid()
    try:
        os.unshare(CLONE_NEWNET)
    except PermissionError:
        os.unshare(CLONE_NEWUSER | CLONE_NEWNET)
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"{user} {user} 1")
        _write("/proc/self/gid_map", f"{group} {group} 1")
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))


def _listen(folder: str, name: str) -> socket.socket:
    door = socket.socket(socket.AF_UNIX)
    # a socket's path has at most 107 bytes
    directory = os.open(folder, os.O_PATH)
    door.bind(f"/proc/self/fd/{directory}/{name}")
    os.close(directory)
    door.listen(BACKLOG)
    return door


def _lead_in(connect: socket.socket, http: socket.socket, port: int) -> None:
    """Serve both sockets until the program ends."""
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    with selectors.DefaultSelector() as selector:
        selector.register(connect, selectors.EVENT_READ, _send_connection)
        selector.register(http, selectors.EVENT_READ, _forward)
        while True:
            for key, _ in selector.select():
                caller, _ = key.fileobj.accept()  # type: ignore[union-attr]
                try:
                    inside = socket.create_connection(("127.0.0.1", port))
                    key.data(caller, inside)
                except OSError:
                    caller.close()  # the program does not listen yet, or any more


def _send_connection(caller: socket.socket, inside: socket.socket) -> None:
    with caller, inside:
        socket.send_fds(caller, [b"."], [inside.fileno()])


def _forward(caller: socket.socket, inside: socket.socket) -> None:
    for source, target in ((caller, inside), (inside, caller)):
        threading.Thread(target=_copy, args=[source, target], daemon=True).start()


def _copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(1 << 16):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        for end in (source, target):
            end.close()


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


if __name__ == "__main__":
    main()
