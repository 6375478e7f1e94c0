"""End the tests of a model that take longer than ``[test] model_timeout`` of ``slipway.toml``."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Generator
from pathlib import Path
from types import FrameType

import pytest

from slipway import settings
from slipway.errors import SlipwayError

# not SIGALRM, which pytest-timeout uses
SIGNAL = signal.SIGUSR1


class ModelTimeLimit:
    """A plugin that fails the test that runs when a model's time is over, and runs no further one.

    ``folder_of`` returns the model's folder of a test. The signal interrupts what the test's thread
    waits for: the server's answer, as well as code of the test itself.
    """

    def __init__(self, folder_of: Callable[[pytest.Item], Path | None]) -> None:
        self._folder_of = folder_of
        self._folder: Path | None = None
        self._timer: threading.Timer | None = None
        self._limit_s = 0.0
        self._item: pytest.Item | None = None
        self._item_began = 0.0
        self._interruptible = False
        self._earlier = signal.signal(SIGNAL, self._interrupt)

    def pytest_unconfigure(self) -> None:
        """End the timer; see pytest's hook of this name."""
        self._cancel()
        signal.signal(SIGNAL, self._earlier)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Begin a model's time with its first test."""
        folder = self._folder_of(item)
        if folder != self._folder:
            self._cancel()
            self._folder = folder
            if folder is not None:
                self._begin(folder)
        self._item, self._item_began = item, time.monotonic()
        return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self) -> Generator[None]:
        """Let the limit interrupt a fixture, such as the one that loads the model."""
        yield from self._while_interruptible()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self) -> Generator[None]:
        """Let the limit interrupt a test."""
        yield from self._while_interruptible()

    def _while_interruptible(self) -> Generator[None]:
        # pytest reports an exception as the test's only between these two lines
        self._interruptible = True
        try:
            yield
        finally:
            self._interruptible = False

    def _begin(self, folder: Path) -> None:
        try:
            self._limit_s = settings.load(folder).time_limits.model_timeout
        except SlipwayError:
            return  # the test itself will say what is wrong with slipway.toml
        main = threading.main_thread().ident
        assert main is not None
        # a longer wait than threads can have is no limit
        wait_s = min(self._limit_s, threading.TIMEOUT_MAX)
        self._timer = threading.Timer(wait_s, signal.pthread_kill, (main, SIGNAL))
        self._timer.daemon = True
        self._timer.start()

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        item = self._item
        if self._timer is None or self._folder is None or item is None:
            return
        running_s = time.monotonic() - self._item_began
        what = f"the tests of {self._folder.name} were not finished in {self._limit_s:g} s"
        item.session.shouldfail = what
        if self._interruptible:
            raise SlipwayError(
                f"{what}: {item.name} was running, for {running_s:.0f} s",
                where=item.nodeid,
                fix="end what it waits for, or test less; if they only need more time here:"
                " [test] model_timeout in slipway.toml",
            )
