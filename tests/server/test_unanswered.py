"""Requests that a model does not answer: the error says where the model's code is."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
import pytest

from slipway.server import triton
from slipway.server.client import UnansweredError
from slipway.server.model_stacks import ModelStack, read_stacks
from slipway.server.server import Server
from slipway.server.unanswered import stalled_load_error, unanswered_error
from slipway.settings import Settings, TimeLimits
from tests import fixture_models

LINE = "        return [self._answer(request) for request in requests]\n"
REQUEST = {"TEXT": np.full((1, 1), "x"), "NUMBERS": np.ones((1, 1), np.float32)}
SENT = "to a request with TEXT BYTES [1, 1], NUMBERS FP32 [1, 1]"


def model(folder: Path, line: str) -> Path:
    """The identity model, with ``line`` instead of what returns its responses."""
    copied = fixture_models.copy("identity", folder)
    code = copied / "identity_step" / "1" / "model.py"
    text = code.read_text(encoding="utf-8")
    assert LINE in text
    code.write_text(text.replace(LINE, line), encoding="utf-8")
    return copied


def line_of(folder: Path, text: str) -> int:
    lines = (folder / "identity_step/1/model.py").read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, start=1) if text in line)


@pytest.mark.parametrize("value", ["None", "[None for _ in requests]"])
def test_execute_that_returns_no_responses_is_named_with_its_line(
    settings: Settings, tmp_path: Path, value: str
) -> None:
    folder = model(tmp_path, f"        return {value}\n")
    limited = Settings(root=settings.root, time_limits=TimeLimits(request_timeout=0.5))
    with triton.start(limited) as server:
        server.load("silent", folder)
        with pytest.raises(UnansweredError) as raised:
            server.invoke("silent", REQUEST)
        error = raised.value
        line = line_of(folder, "def execute")
        assert error.where == f"identity_step/1/model.py:{line}"
        assert error.what.startswith(f"no answer in 0.5 s {SENT}: execute of 'identity_step' has")
        assert error.what.endswith("returned, and a request is left without a response")
        assert "a list with one response for each request" in str(error.fix)
        # the next one would not be answered either: nobody waits for it
        assert not server.answers("silent")
        with pytest.raises(UnansweredError, match="not sent, because") as raised:
            server.invoke("silent", REQUEST)
        assert raised.value.where == f"identity_step/1/model.py:{line}"


def test_execute_that_does_not_return_is_shown_where_it_is(server: Server, tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    loop = "        while True:\n            __import__('time').sleep(0.01)\n"
    folder = model(tmp_path, f"        open({str(begun)!r}, 'w')\n{loop}")
    server.load("busy", folder)
    # the request is never answered: the thread ends with the server
    threading.Thread(target=lambda: _ignore(server), daemon=True).start()
    while not begun.exists():
        time.sleep(0.01)
    extracted = server.folder("busy")
    stacks = read_stacks(server.supervisor, extracted, server.log_file)
    assert [stack.model for stack in stacks] == ["identity_step"]
    assert stacks[0].executes
    error = unanswered_error(
        UnansweredError("no answer in 60 s"), REQUEST, stacks, extracted, server.model_hash("busy")
    )
    number = line_of(folder, "time').sleep")
    assert error.where == f"identity_step/1/model.py:{number}"
    assert str(error).splitlines()[:3] == [
        f"identity_step/1/model.py:{number}: no answer in 60 s {SENT}: execute of 'identity_step'"
        " has not returned",
        f"  identity_step/1/model.py:{number}: in execute",
        "      __import__('time').sleep(0.01)",
    ]
    assert "[test] request_timeout in slipway.toml" in str(error.fix)


def test_a_server_without_such_processes_is_not_blamed_on_the_code(tmp_path: Path) -> None:
    error = unanswered_error(UnansweredError("no answer in 60 s"), REQUEST, [], tmp_path, "x")
    assert error.where is None and error.what == f"no answer in 60 s {SENT}"
    assert str(error.fix).startswith("a model that only needs more time here")


def test_the_model_that_executes_is_named_among_several(tmp_path: Path) -> None:
    waits = ModelStack("first", ())
    works = ModelStack("second", ("/x/numpy/core.py(5): dot", "/x/second/1/model.py(3): execute"))
    error = unanswered_error(UnansweredError("late"), {}, [waits, works], tmp_path, "x")
    assert "late to a request with no inputs: execute of 'second' has not returned" in error.what


def test_a_load_that_does_not_end_is_shown_where_it_is(tmp_path: Path) -> None:
    code = tmp_path / "x" / "model" / "slow" / "1" / "model.py"
    code.parent.mkdir(parents=True)
    code.write_text("import time\ntime.sleep(1000)\n", encoding="utf-8")
    stack = ModelStack("slow", (f"{code}(2): <module>",))
    error = stalled_load_error("slow.tar.gz", 380.0, [stack], tmp_path / "x" / "model", "x")
    assert str(error).splitlines()[:3] == [
        "slow/1/model.py:2: target model 'slow.tar.gz' was not loaded in 380 s: 'slow' is still at",
        "  slow/1/model.py:2: in <module>",
        "      time.sleep(1000)",
    ]
    assert "not loaded in 380 s" in str(stalled_load_error("x", 380.0, [], tmp_path, "x"))


def _ignore(server: Server) -> None:
    try:
        server.client.invoke(server.model_hash("busy"), "busy", REQUEST)
    except Exception:
        return
