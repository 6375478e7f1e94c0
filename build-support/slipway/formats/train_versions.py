"""Lock a conversion with the versions that a training used, from the format's own list."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from slipway.environment.packages import uv_program
from slipway.errors import SlipwayError
from slipway.files import atomic_write, cache_dir

KIND = "training-locks"  # of the cache
CPU = "-cpu"  # a list has the builds without a GPU's libraries, where there are any


def lock_with(base: Path, packages: Sequence[str]) -> Path:
    """Return a lock of the list of ``base``, with ``packages`` in place of its versions.

    A package that the list has not is added. The lock is kept: asking again needs no index.

    Raises:
        SlipwayError: a package is not ``name==version``, or the versions do not go together.
    """
    listed = base.with_suffix(".in")
    known = {_name(line) for line in listed.read_text(encoding="utf-8").splitlines()} - {""}
    wanted = sorted(_pinned(text, known) for text in packages)
    added = [line for line in wanted if _name(line) not in known]
    overrides = "\n".join(wanted) + "\n"
    parts = (listed.read_text(encoding="utf-8"), overrides, sys.version)
    key = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
    target = cache_dir(KIND) / f"{base.stem}-{key}.txt"
    if target.is_file():
        return target
    with atomic_write(target) as sibling:
        replaced = sibling.with_name("with.txt")
        replaced.write_text(overrides, encoding="utf-8")
        more = sibling.with_name("more.in")
        more.write_text("\n".join(added) + "\n", encoding="utf-8")
        argv: list[str | Path] = [
            *("pip", "compile", "--quiet", "--generate-hashes", "--no-header", "--no-annotate"),
            *("--no-emit-index-url", "--only-binary", ":all:", "--python", sys.executable),
            *("--override", replaced, "--output-file", sibling, listed, more),
        ]
        try:
            uv_program(argv, what=f"locking {', '.join(wanted)}")
        except SlipwayError as error:
            raise SlipwayError(
                error.what,
                fix="versions that have wheels for this Python, and go together; with several, try"
                " them one by one",
            ) from error
    return target


def _pinned(text: str, known: set[str]) -> str:
    """Return ``text`` with the name that the list has for the package."""
    try:
        requirement = Requirement(text)
    except InvalidRequirement as error:
        raise _not_pinned(text) from error
    specifiers = list(requirement.specifier)
    if len(specifiers) != 1 or specifiers[0].operator != "==" or requirement.marker:
        raise _not_pinned(text)
    name = canonicalize_name(requirement.name)
    if name not in known and f"{name}{CPU}" in known:
        name = canonicalize_name(f"{name}{CPU}")
    return f"{name}=={specifiers[0].version}"


def _not_pinned(text: str) -> SlipwayError:
    return SlipwayError(f"--with {text}: not NAME==VERSION", fix="--with scikit-learn==1.5.2")


def _name(line: str) -> str:
    text = line.partition("#")[0].strip()
    return canonicalize_name(Requirement(text).name) if text else ""
