"""Other programs: their last words are told, no shell sees their arguments."""

from __future__ import annotations

import sys

import pytest

from slipway import process
from slipway.errors import SlipwayError


def test_arguments_reach_the_program_as_they_are() -> None:
    words = ["$HOME; rm -rf *", "`x`", "two words"]
    done = process.run(
        [sys.executable, "-c", "import sys; print(sys.argv[1:])", *words], what="asking"
    )
    assert done.stdout.strip() == str(words)


def test_a_failure_tells_the_step_and_the_program_s_last_words() -> None:
    code = "import sys; print('ignored'); print('no such wheel', file=sys.stderr); sys.exit(2)"
    with pytest.raises(SlipwayError) as caught:
        process.run([sys.executable, "-c", code], what="locking x", fix="mend x")
    assert "locking x" in caught.value.what and "no such wheel" in caught.value.what
    assert caught.value.fix == "mend x"


def test_a_missing_program_is_named() -> None:
    with pytest.raises(SlipwayError, match="the program 'no-such-program' is not installed"):
        process.run(["no-such-program"], what="trying")
