"""What is going on is shown on a terminal, and nowhere else."""

from __future__ import annotations

import sys
import threading

import pytest

from slipway.cli import progress


def test_nothing_is_written_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.uploading("publishing", 100) as told, progress.working("building"):
        told(100)
    assert capsys.readouterr() == ("", "")


def test_a_terminal_shows_the_bytes_that_have_arrived(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    with progress.uploading("publishing [x] 1.2.0", 64 << 20) as told:
        threads = [threading.Thread(target=told, args=(8 << 20,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    out, err = capsys.readouterr()
    assert out == ""
    assert "publishing [x] 1.2.0" in err  # no markup of rich's
    assert "32.0/64.0 MiB" in err


def test_a_size_that_nobody_knows_is_no_mistake(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    with progress.uploading("copying", None) as told:
        told(5)
    assert "5/? bytes" in capsys.readouterr().err
