"""Golden cases of a container: ``tests/cases/<case>/request.*``, and the answer to it.

``case.toml`` may give ``content_type`` and ``accept``; otherwise the first follows from the
request's ending. ``expected.*`` is the body of the answer: JSON is compared as values.
"""

from __future__ import annotations

import json
import math
import mimetypes
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slipway.errors import SlipwayError
from slipway.files import atomic_write
from slipway.server.container.call import ContainerAnswer

REQUEST, EXPECTED, OPTIONS = "request", "expected", "case.toml"
KEYS = {"content_type", "accept"}
JSON, BYTES = "application/json", "application/octet-stream"
RELATIVE, ABSOLUTE = 1e-4, 1e-6  # of numbers in JSON


@dataclass(frozen=True)
class ContainerCase:
    """The case in ``folder``: ``body`` is sent with the headers."""

    folder: Path
    body: bytes
    content_type: str
    accept: str | None

    @property
    def expected(self) -> Path | None:
        """Return the file with the expected answer, if there is one."""
        return next(iter(sorted(self.folder.glob(f"{EXPECTED}.*"))), None)


def find_cases(model: Path) -> list[Path]:
    """Return the case folders of a model's folder, sorted."""
    return sorted({file.parent for file in model.glob(f"tests/cases/*/{REQUEST}.*")})


def load_case(folder: Path) -> ContainerCase:
    """Read the case in ``folder``.

    Raises:
        SlipwayError: ``case.toml`` is not TOML or has another key, or there are two requests.
    """
    requests, options = sorted(folder.glob(f"{REQUEST}.*")), folder / OPTIONS
    if len(requests) != 1:
        raise SlipwayError("a case has one request", where=str(folder), fix="remove the others")
    try:
        values: dict[str, str] = (
            tomllib.loads(options.read_text(encoding="utf-8")) if options.is_file() else {}
        )
    except tomllib.TOMLDecodeError as error:
        raise SlipwayError(f"not TOML: {error}", where=str(options), fix="correct it") from error
    if not set(values) <= KEYS:
        raise SlipwayError(
            f"unknown {min(set(values) - KEYS)}", where=str(options), fix=" or ".join(sorted(KEYS))
        )
    guessed = mimetypes.guess_type(requests[0].name)[0] or BYTES
    content_type = values.get("content_type", guessed)
    return ContainerCase(folder, requests[0].read_bytes(), content_type, values.get("accept"))


def differences(case: ContainerCase, answer: ContainerAnswer) -> list[str]:
    """Return how the answer differs from the expected one; empty if it does not."""
    if answer.status != 200:
        return [f"status {answer.status}: {answer.body.decode(errors='replace'):.300}"]
    if case.expected is None:
        return ["there is no expected answer"]
    expected = case.expected.read_bytes()
    if not answer.content_type.startswith(JSON):
        shown = f"{answer.body[:120]!r}, not {expected[:120]!r}"
        return [] if answer.body == expected else [f"the body is {shown}"]
    try:
        return list(_compare(json.loads(expected), json.loads(answer.body), "answer"))
    except ValueError as error:
        return [f"not JSON: {error}"]


def update(case: ContainerCase, answer: ContainerAnswer) -> list[str]:
    """Write the answer as the expected one; return what changed.

    Raises:
        SlipwayError: the answer is an error.
    """
    changed = differences(case, answer)
    if answer.status != 200:
        raise SlipwayError(changed[0], where=str(case.folder), fix="fix the request or the model")
    if changed:
        kind = answer.content_type.partition(";")[0].strip()
        ending = mimetypes.guess_extension(kind) or ".bin"
        if case.expected is not None:
            case.expected.unlink()
        with atomic_write(case.folder / f"{EXPECTED}{ending}") as temporary:
            temporary.write_bytes(answer.body)
    return changed


def _compare(expected: Any, actual: Any, place: str) -> list[str]:
    if isinstance(expected, dict) and isinstance(actual, dict) and set(expected) == set(actual):
        pairs = [(expected[key], actual[key], f"{place}.{key}") for key in expected]
    elif isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        pairs = [
            (*pair, f"{place}[{n}]") for n, pair in enumerate(zip(expected, actual, strict=True))
        ]
    elif _is_number(expected) and _is_number(actual):
        near = math.isclose(expected, actual, rel_tol=RELATIVE, abs_tol=ABSOLUTE)
        return [] if near else [f"{place} is {actual!r}, not {expected!r}"]
    else:
        return [] if expected == actual else [f"{place} is {actual!r:.120}, not {expected!r:.120}"]
    return [line for pair in pairs for line in _compare(*pair)]


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
