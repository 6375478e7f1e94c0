"""A library of few lines in the place of the real one, for Pants to run: same commands, same files.

What it writes says what it was given, so that a test can see what reached it.
"""

from __future__ import annotations

SOURCE = """
import argparse, hashlib, json, os, pathlib, sys, time

parser = argparse.ArgumentParser()
parser.add_argument("words", nargs="+")
for option in ("--dvc-root", "--environment", "--artifact", "--output", "--format"):
    parser.add_argument(option)
given = parser.parse_args()

with open(os.path.join(os.environ["HOME"], "ran"), "a") as log:
    log.write(given.words[0] + "\\n")

def fail(text):
    sys.exit(f"error: {text}\\nfix: mend it")

if given.words[0] == "weights":
    pointer = pathlib.Path(given.words[2])
    if "broken" in pointer.read_text():
        fail(f"{pointer}: no such object")
    pathlib.Path(given.output).parent.mkdir(parents=True)
    pathlib.Path(given.output).write_text("weights of " + pointer.read_text())
elif given.words[0] == "environment":
    lock = pathlib.Path(given.words[2])
    if "broken" in lock.read_text():
        fail(f"{lock}:1: does not match requirements.txt")
    with open(os.path.join(os.environ["HOME"], "built"), "a") as log:
        log.write(lock.read_text() + "\\n")
    if "slow" in lock.read_text():
        time.sleep(1)
    os.mkdir(given.output)
    shared = "".join(p.read_text() for p in sorted(pathlib.Path("libs").rglob("*.py")))
    pathlib.Path(given.output, "environment.tar.gz").write_text(
        "packages of " + lock.read_text() + shared
    )
elif given.words[0] == "pack":
    seen = sorted(p for p in pathlib.Path(given.words[1]).rglob("*") if p.is_file())
    if given.environment:
        seen += sorted(pathlib.Path(given.environment).rglob("*"))
    text = "".join(f"{p}: {p.read_text().strip()}\\n" for p in seen)
    if "packages of slow" in text:
        time.sleep(1)
    pathlib.Path(given.output).write_text(text)
    digest = hashlib.sha256(text.encode()).hexdigest()
    pathlib.Path(given.output + ".sha256").write_text(digest)
elif given.words[0] == "check":
    seen = sorted(str(p) for p in pathlib.Path("models").rglob("*") if p.is_file())
    with open(os.path.join(os.environ["HOME"], "checked"), "a") as log:
        log.write(json.dumps({"folders": given.words[1:], "seen": seen}) + "\\n")
    if given.output:
        pathlib.Path(given.output).write_text(given.format + " report")
    locks = [pathlib.Path(folder, "requirements.lock") for folder in given.words[1:]]
    broken = [str(lock) for lock in locks if "broken" in lock.read_text()]
    if broken:
        sys.exit("mistakes in " + " ".join(broken))
else:
    print(given.words, pathlib.Path(given.artifact).read_text())
"""
