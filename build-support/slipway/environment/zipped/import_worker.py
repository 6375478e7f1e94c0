"""Import packages in the built environment's Python, each in a fork of its own.

Stdin is JSON: ``path``, the folders and zips to import from, and ``packages``, a list of lists of
modules. Stdout is JSON: for each package the error of the first module that cannot be imported, or
null.
"""

import importlib
import json
import os
import sys
import warnings


def try_import(modules: list[str], answer: int) -> None:
    problem = None
    try:
        for module in modules:
            importlib.import_module(module)
    except BaseException as error:  # modules may also exit
        problem = f"{type(error).__name__}: {error}"[:500]
    os.write(answer, json.dumps(problem).encode())


def main() -> None:
    request = json.load(sys.stdin)
    sys.path[:] = [*sys.path, *request["path"]]
    warnings.simplefilter("ignore")
    answers = []
    for modules in request["packages"]:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            null = os.open(os.devnull, os.O_RDWR)
            for stream in (0, 1, 2):
                os.dup2(null, stream)
            try_import(modules, writing)
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            answer = pipe.read()
        os.waitpid(child, 0)
        answers.append(json.loads(answer) if answer else "its process ended")
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
