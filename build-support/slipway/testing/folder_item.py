"""A generated test of a folder of ``models/``: how it is named, and how its failures are shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway.errors import SlipwayError
from slipway.testing.brief import brief


class FolderItem(pytest.Item):
    """A generated test of what is in ``folder``, ``models/<name>``."""

    folder: Path

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException]) -> str:  # type: ignore[override]
        """Return only the message of Slipway's own errors."""
        if isinstance(excinfo.value, SlipwayError):
            return brief(excinfo.value, self.config)
        return str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[Path, None, str]:
        """Return the test's path and name."""
        return self.path, None, f"{self.folder.name}: {self.name}"
