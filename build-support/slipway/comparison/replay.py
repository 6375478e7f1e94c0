"""Ask a release again what another was asked."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from slipway.capture.record import CapturedRequest
from slipway.errors import SlipwayError
from slipway.triton.datatypes import Array

# inputs and the parameters of a request: the outputs
Ask = Callable[[Mapping[str, Array], Mapping[str, Any]], Mapping[str, Array]]
SEQUENCE = "sequence_id"
FAILURES = 3  # messages that are kept


@dataclass
class Replay:
    """Asks ``target`` what was captured of another release, at most ``limit`` requests.

    ``inputs`` are the names of the model's inputs: what was redacted of them cannot be asked again.
    ``skipped`` counts what could not be asked, by reason; ``failures`` are a few messages.
    """

    target: str
    ask: Ask
    limit: int
    inputs: Collection[str] = ()
    skipped: dict[str, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def run(self, captured: Iterable[CapturedRequest]) -> Iterator[CapturedRequest]:
        """Yield each request that could be asked again, and its new answer."""
        asked = 0
        for request in captured:
            if request.role != "answer":
                continue
            if asked == self.limit:
                self._skip(f"beyond --limit {self.limit}")
                continue
            reason = _reason_against(request, self.inputs)
            if reason is not None:
                self._skip(reason)
                continue
            asked += 1
            try:
                outputs = self.ask(request.inputs, request.parameters)
            except SlipwayError as error:
                self._skip("that B did not answer")
                if len(self.failures) < FAILURES:
                    self.failures.append(error.what)
                continue
            kept = {k: v for k, v in request.outputs.items() if k not in request.redacted}
            yield replace(request, outputs=kept)  # a hash equals no new answer
            yield replace(
                request, target=self.target, role="shadow", outputs=dict(outputs), redacted={}
            )

    def _skip(self, reason: str) -> None:
        self.skipped[reason] = self.skipped.get(reason, 0) + 1


def _reason_against(request: CapturedRequest, inputs: Collection[str]) -> str | None:
    redacted = sorted(name for name in request.redacted if name in inputs)
    if redacted:
        return f"whose inputs were redacted ({', '.join(redacted)})"
    if not request.inputs:
        return "whose inputs were not captured"
    if SEQUENCE in request.parameters:
        return "of a sequence"
    return None
