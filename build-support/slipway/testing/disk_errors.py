"""Say of a full disk that pytest's report was not written, instead of pytest's own traceback."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from pathlib import Path

import pytest

from slipway.disk import find_disk_error


class DiskErrors:
    """A plugin that ends the run with an error where a report cannot be written."""

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None]:
        """Translate the error of a full or read-only disk, and remove the part of a report."""
        try:
            yield
        except OSError as error:
            explained = find_disk_error(error)
            if explained is None:
                raise
            report = session.config.getoption("xmlpath")
            if report:
                with contextlib.suppress(OSError):  # it is not there, or cannot be
                    Path(report).unlink()
            pytest.exit(f"the report was not written: {explained}", returncode=1)
