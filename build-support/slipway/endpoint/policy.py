"""Who may ask for which target model: the condition key ``sagemaker:TargetModel`` of an IAM policy.

https://docs.aws.amazon.com/sagemaker/latest/dg/multi-model-endpoint-security.html
"""

from __future__ import annotations

import re
from collections.abc import Sequence


class Policy:
    """Allows what matches one of ``patterns``, as StringLike matches: ``*`` is any number of
    characters, ``?`` one, case counts, and nothing else is special."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self.patterns = tuple(patterns)
        self._allowed = re.compile("|".join(f"(?:{_regular(p)})" for p in patterns), re.DOTALL)

    def allows(self, target: str) -> bool:
        """Whether ``target`` may be invoked."""
        return bool(self.patterns) and self._allowed.fullmatch(target) is not None


def _regular(pattern: str) -> str:
    first, *rest = (re.escape(part).replace(r"\?", ".") for part in pattern.split("*"))
    if not rest:
        return first
    *middle, last = rest
    # what lies between two stars may match where it first does, and is never tried elsewhere:
    # many stars would take for ever (as in fnmatch.translate)
    return first + "".join(f"(?>.*?{part})" for part in middle) + f".*{last}"
