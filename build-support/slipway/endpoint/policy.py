"""Which target models a caller may invoke: IAM's condition key ``sagemaker:TargetModel``.

https://docs.aws.amazon.com/sagemaker/latest/dg/multi-model-endpoint-security.html
"""

from __future__ import annotations

import re
from collections.abc import Sequence


class Policy:
    """Allows a target that matches one of ``patterns`` as IAM's StringLike does: ``*`` is any
    number of characters, ``?`` one, case counts, and nothing else is special."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self.patterns = tuple(patterns)
        self._allowed = re.compile("|".join(f"(?:{_regular(p)})" for p in patterns), re.DOTALL)

    def allows(self, target: str) -> bool:
        """Return whether ``target`` may be invoked."""
        return bool(self.patterns) and self._allowed.fullmatch(target) is not None


def _regular(pattern: str) -> str:
    first, *rest = (re.escape(part).replace(r"\?", ".") for part in pattern.split("*"))
    if not rest:
        return first
    *middle, last = rest
    # what stands between two stars matches at its first position only, which suffices: to try
    # others would take exponential time with many stars (as in fnmatch.translate)
    return first + "".join(f"(?>.*?{part})" for part in middle) + f".*{last}"
