"""Ask a real server for answers, and write a golden case and a test from them."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from slipway import build
from slipway.adopt.requests import candidate_requests
from slipway.adopt.steps import Step
from slipway.errors import SlipwayError
from slipway.scaffold import golden_case, render
from slipway.scaffold.from_onnx import CASE, REQUEST
from slipway.settings import Settings
from slipway.signature.trial.example import nearly_equal
from slipway.testing.served_artifact import ServedArtifact, ServedModel
from slipway.testing.two_rows import check_two_rows
from slipway.testing.untestable import untestable_reason

type Array = np.ndarray[Any, Any]
type Arrays = Mapping[str, Array]

ANSWER_S = 120.0  # for one request; a model that downloads at its first one takes longer
TEST = "weights/tests/test_model.py.jinja"
BY_HAND = (
    "write a request to {case}/input.json, then slipway test --update-golden {name}, and review the"
    " answer"
)


def refused_by_errors(folder: Path) -> list[Step]:
    """Return the step of a model that is not built yet, because the check finds errors in it."""
    what = "no golden case was recorded, because of the errors above"
    return _without_case(folder, what, _by_hand(folder.name))


def record_case(folder: Path, settings: Settings) -> list[Step]:
    """Serve the model in ``folder``, and write a golden case from its answer; return what is left.

    The case is written only if the answer repeats; otherwise only the request is.
    """
    by_hand = _by_hand(folder.name)
    untestable = untestable_reason(folder, settings)
    problem: SlipwayError | None = untestable
    if untestable is None:
        try:
            with tempfile.TemporaryDirectory() as temporary:
                artifact = build.build(folder, settings, Path(temporary)).path
                with ServedArtifact(settings, folder, artifact) as served:
                    return _record(ServedModel(served), folder, by_hand)
        except SlipwayError as error:
            problem = error
    assert problem is not None
    fix = f"{by_hand}. Before that: {problem.fix}" if problem.fix else by_hand
    return _without_case(folder, f"no golden case was recorded: {_line(problem.what)}", fix)


def no_case(folder: Path) -> None:
    """Write the test of a model whose answers are not known."""
    _write_test(folder, None, {}, golden=False, batch=0)


def _record(model: ServedModel, folder: Path, by_hand: str) -> list[Step]:
    place = f"models/{folder.name}/tests"
    first = None
    for request in candidate_requests(model.interface):
        answer = _ask(model, request)
        if answer is None:
            what = f"no golden case was recorded: no answer within {ANSWER_S:.0f} s"
            return _without_case(folder, what, by_hand)
        if isinstance(answer, str):
            first = first or answer
            continue
        again = _ask(model, request)
        golden = isinstance(again, Mapping) and _equal(answer, again)
        case = folder / "tests" / (CASE if golden else REQUEST)
        golden_case.write_case(case, dict(request), dict(answer) if golden else None)
        _write_test(folder, request, answer, golden=golden, batch=model.interface.max_batch_size)
        steps = []
        if not golden:
            what = "its answers differ from call to call, so that no golden case was recorded"
            fix = "seed what is random in model.py, or test what the answers have in common"
            steps.append(Step(folder.name, what, place, fix))
        for problem in check_two_rows(model, request):
            what = f"its config allows several rows, but: {problem}"
            fix = "make the model answer several rows, or write max_batch_size: 1"
            steps.append(Step(folder.name, what, f"models/{folder.name}", fix))
        return steps
    what = "no golden case was recorded: the model refuses every request that was tried"
    return _without_case(folder, f"{what}: {_line(first or '')}", by_hand)


def _without_case(folder: Path, what: str, by_hand: str) -> list[Step]:
    no_case(folder)
    return [Step(folder.name, what, f"models/{folder.name}/tests", by_hand)]


def _by_hand(name: str) -> str:
    return BY_HAND.format(case=f"models/{name}/tests/{CASE}", name=name)


def _line(text: str) -> str:
    return next(iter(text.splitlines()), "")


def _ask(model: ServedModel, request: Arrays) -> Arrays | str | None:
    """Return the answer, the message of an error, or ``None`` if none comes in time."""
    result: list[Arrays | str] = []

    def ask() -> None:
        try:
            result.append(model(request))
        except SlipwayError as error:
            result.append(error.what)

    # a model whose execute never answers would hold the command for ever
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(ANSWER_S)
    return result[0] if result else None


def _equal(first: Arrays, second: Arrays) -> bool:
    return first.keys() == second.keys() and all(
        nearly_equal(value, second[name]) for name, value in first.items()
    )


def _write_test(
    folder: Path, request: Arrays | None, answer: Arrays, *, golden: bool, batch: int
) -> None:
    """Write ``tests/test_<name>.py``, which tests the answer to the request where there is one."""
    values = {
        "example": request is not None,
        "golden": golden,
        "place": CASE if golden else REQUEST,
        "answer": [(name, str(array.dtype), array.shape) for name, array in answer.items()],
        "max_batch_size": batch,
        "clients": (),
        "columns": False,
    }
    tests = folder / "tests"
    tests.mkdir(exist_ok=True)
    (tests / f"test_{folder.name}.py").write_text(
        render.render_text(TEST, values), encoding="utf-8"
    )
