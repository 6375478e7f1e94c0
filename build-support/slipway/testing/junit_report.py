"""The properties of a JUnit report: which artifact was tested, and whether tests were left out."""

from __future__ import annotations

import pytest
from _pytest.junitxml import xml_key

from slipway.artifact.artifact import Artifact
from slipway.files import sha256_of
from slipway.release.evidence.junit_properties import COMPLETE, INCOMPLETE, MODEL, SERVER, SHA256

# pytest's own options that leave tests out, or end a run early; -k, -m, --deselect and others are
# seen by what they deselect
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


class ReportProperties:
    """Collects what :meth:`write` says at the session's end."""

    def __init__(self) -> None:
        self._artifacts: dict[str, tuple[Artifact, str]] = {}
        self._left: list[str] = []

    def served(self, name: str, artifact: Artifact, server: str) -> None:
        """Record that ``server`` serves ``name`` from ``artifact``, whose digest was computed
        before it was unpacked."""
        self._artifacts[name] = (artifact, server)

    def deselected(self, item: pytest.Item) -> None:
        """This test was left out."""
        self._left.append(f"{item.name} was deselected")

    def unnamed(self, file: str) -> None:
        """The tests in this file were left out."""
        self._left.append(f"{file} was not named")

    def write(self, config: pytest.Config, status: int | pytest.ExitCode) -> None:
        """Write it as properties of the suite, if there is a JUnit report."""
        xml = config.stash.get(xml_key, None)
        if xml is None:
            return
        changed = None
        for name, (artifact, server) in self._artifacts.items():
            # the digest is that of the bytes that were unpacked: they are the same ones still
            path = artifact.path
            if not path.is_file() or sha256_of(path) != artifact.sha256:
                changed = f"{path.name} changed while it was tested"
                continue
            xml.add_global_property(MODEL, name)
            xml.add_global_property(SHA256, artifact.sha256)
            xml.add_global_property(SERVER, server)
        left_out = changed or self._left_out(config, status)
        if left_out is None:
            xml.add_global_property(COMPLETE, "true")
        else:
            xml.add_global_property(INCOMPLETE, left_out)

    def _left_out(self, config: pytest.Config, status: int | pytest.ExitCode) -> str | None:
        if config.getoption("update_golden"):
            return "golden cases were rewritten, not compared"
        if self._left:
            more = f", {len(self._left) - 1} more left out" if len(self._left) > 1 else ""
            return f"{self._left[0]}{more}"
        for name, option in OPTIONS.items():
            if config.getoption(name, None):
                return f"the run was one with {option}"
        if any("::" in argument for argument in config.args):
            return "single tests were named"
        if status not in ENDED:
            return f"the run ended with status {int(status)}"
        return None
