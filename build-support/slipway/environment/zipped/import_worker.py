"""Import packages in the built environment's Python, each in a fork of its own.

Stdin is JSON: ``path``, the folders and zips to import from, ``packages``, a list of lists of
modules, and ``seconds``, which each package may take. Stdout is JSON: for each package the error of
the first module that cannot be imported, or null.

The packages' code has no network where the kernel allows users a network namespace. What a package
leaves running is ended.
"""

import contextlib
import importlib
import json
import os
import select
import signal
import sys
import warnings


def without_network() -> None:
    """Enter an empty network namespace, if there are such; otherwise leave all as it is.

    A namespace of users comes with it where that is allowed, for root as well: code that may
    manage the machine's network could go back.
    """
    user, group = os.getuid(), os.getgid()
    unavailable = (OSError, AttributeError)  # a Python built for an old system lacks the call
    try:
        os.unshare(os.CLONE_NEWUSER | os.CLONE_NEWNET)
    except unavailable:
        with contextlib.suppress(*unavailable):
            os.unshare(os.CLONE_NEWNET)
        return
    with contextlib.suppress(OSError):
        for name, text in (
            ("setgroups", "deny"),
            ("uid_map", f"{user} {user} 1"),
            ("gid_map", f"{group} {group} 1"),
        ):
            with open(f"/proc/self/{name}", "w", encoding="utf-8") as file:
                file.write(text)


def try_import(modules: list[str], answer: int) -> None:
    problem = None
    try:
        for module in modules:
            importlib.import_module(module)
    except BaseException as error:  # modules may also exit
        problem = f"{type(error).__name__}: {error}"[:500]
    os.write(answer, json.dumps(problem).encode())


def try_in_fork(modules: list[str], seconds: float) -> str | None:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.setsid()
        null = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(null, stream)
        try_import(modules, writing)
        os._exit(0)
    os.close(writing)
    try:
        # one write, shorter than a pipe's buffer; what it started may keep the pipe open
        ended = bool(select.select([reading], [], [], seconds)[0])
        answer = os.read(reading, 1 << 16) if ended else b""
    finally:
        os.close(reading)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child, signal.SIGKILL)
        os.waitpid(child, 0)
    if not ended:
        return f"takes longer than {seconds:g} s"
    if not answer:
        return "its process ended"
    # a process that it started may have answered as well
    problem: str | None = json.JSONDecoder().raw_decode(answer.decode())[0]
    return problem


def main() -> None:
    request = json.load(sys.stdin)
    without_network()
    sys.path[:] = [*sys.path, *request["path"]]
    warnings.simplefilter("ignore")
    answers = [try_in_fork(modules, request["seconds"]) for modules in request["packages"]]
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
