"""Compile Python files, each group in a fork of one pristine process; bytecode.py explains why.

Stdin is a JSON list of groups, each a list of [source, name, target]. A source that is not valid
Python of this version gets no target.

The names in this file are interned in that process, so a renamed variable changes the bytecode.
"""

from __future__ import annotations

import json
import os
import py_compile
import sys
import warnings


def compile_one(source: str, name: str, target: str) -> None:
    try:  # noqa: SIM105 (importing contextlib here may change the bytecode)
        py_compile.compile(
            source,
            cfile=target,
            dfile=name,
            doraise=True,
            optimize=0,
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )
    except py_compile.PyCompileError:
        pass


def main() -> None:
    warnings.simplefilter("ignore")  # about code of other projects
    for group in json.load(sys.stdin):
        child = os.fork()
        if child == 0:
            status = 1
            try:
                for source, name, target in group:
                    compile_one(source, name, target)
                status = 0
            finally:
                os._exit(status)
        if os.waitpid(child, 0)[1] != 0:
            sys.exit(f"compiling the files next to {group[0][1]} failed")


if __name__ == "__main__":
    main()
