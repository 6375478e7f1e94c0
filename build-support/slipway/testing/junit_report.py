"""Write to a JUnit report which artifact was tested, and whether tests were left out."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from _pytest.junitxml import xml_key

from slipway.artifact.artifact import Artifact
from slipway.files import sha256_of
from slipway.release.evidence.junit_properties import (
    COMPLETE,
    INCOMPLETE,
    MODEL,
    RESTART,
    SERVER,
    SHA256,
)

# pytest's options that leave tests out or end a run early; -k, -m, --deselect and others are
# noticed through pytest_deselected
OPTIONS = {
    "lf": "--last-failed",
    "stepwise": "--stepwise",
    "ignore": "--ignore",
    "ignore_glob": "--ignore-glob",
    "collectonly": "--collect-only",
    "setuponly": "--setup-only",
    "setupplan": "--setup-plan",
}
ENDED = {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}


class Interruption:
    """Let an interrupted run write no report, so that none of its tests counts."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Remove pytest's report; see pytest's hook of this name."""
        xml = self._config.stash.get(xml_key, None)
        # pytest itself stops after errors of collection, with an exception of the same base class
        if xml is not None and not isinstance(excinfo.value, pytest.Session.Interrupted):
            self._config.pluginmanager.unregister(xml)
            del self._config.stash[xml_key]


class ReportProperties:
    """Collect what :meth:`write` adds to the report when the session ends."""

    def __init__(self) -> None:
        self._artifacts: dict[str, tuple[Artifact, str]] = {}
        self._omitted: list[str] = []
        self._restarts: list[str] = []

    def add_artifact(self, name: str, artifact: Artifact, server: str) -> None:
        """Record that ``server`` serves ``name`` from ``artifact``.

        The artifact's digest was computed before it was unpacked.
        """
        self._artifacts[name] = (artifact, server)

    def add_restarts(self, name: str, ends: Sequence[str]) -> None:
        """Record how servers of the model ``name`` ended by themselves and were started again."""
        self._restarts += [f"{name} {how}" for how in ends]

    def add_deselected(self, item: pytest.Item) -> None:
        """Record a test that was left out."""
        self._omitted.append(f"{item.name} was deselected")

    def add_unnamed(self, file: str) -> None:
        """Record a file whose tests were left out."""
        self._omitted.append(f"{file} was not named")

    def write(self, config: pytest.Config, status: int | pytest.ExitCode) -> None:
        """Write properties of the suite, if a JUnit report is requested."""
        xml = config.stash.get(xml_key, None)
        if xml is None:
            return
        changed = None
        for name, (artifact, server) in self._artifacts.items():
            # the file must still be the one that was unpacked and tested
            path = artifact.path
            if not path.is_file() or sha256_of(path) != artifact.sha256:
                changed = f"{path.name} changed while it was tested"
                continue
            xml.add_global_property(MODEL, name)
            xml.add_global_property(SHA256, artifact.sha256)
            xml.add_global_property(SERVER, server)
        for restart in self._restarts:
            xml.add_global_property(RESTART, restart)
        left_out = changed or self._left_out(config, status)
        if left_out is None:
            xml.add_global_property(COMPLETE, "true")
        else:
            xml.add_global_property(INCOMPLETE, left_out)

    def _left_out(self, config: pytest.Config, status: int | pytest.ExitCode) -> str | None:
        if config.getoption("update_golden"):
            return "golden cases were rewritten, not compared"
        if self._omitted:
            more = f", {len(self._omitted) - 1} more left out" if len(self._omitted) > 1 else ""
            return f"{self._omitted[0]}{more}"
        for name, option in OPTIONS.items():
            if config.getoption(name, None):
                return f"the run was one with {option}"
        if any("::" in argument for argument in config.args):
            return "single tests were named"
        if status not in ENDED:
            return f"the run ended with status {int(status)}"
        return None
