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
    # runs of stars mean one star; more of them make the search slow
    pattern = re.sub(r"\*+", "*", pattern)
    return re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
