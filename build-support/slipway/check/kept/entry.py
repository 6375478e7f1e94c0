"""What is kept of one model's check, and its form in JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from slipway.check import finding as findings
from slipway.check.finding import Finding, Fix, Location
from slipway.check.outcome import CheckOutcome

FIXES: dict[str, Any] = {
    kind.__name__: kind
    for kind in (findings.Edit, findings.Move, findings.Remove, findings.Create, findings.Lock)
}


@dataclass(frozen=True)
class KeptCheck:
    """An outcome with what it depends on, each as a digest.

    ``stat`` and ``content`` are the model's folder, ``ignored`` the files in it that git ignores,
    ``environments`` those built from its ``lock``. ``asked`` are the names that the check looked up
    among the models of other folders, with the answers. ``served`` and ``calls`` are what others
    may ask of this folder: the model that it serves, and the models that its code calls.
    """

    stat: str
    content: str
    ignored: str
    lock: str
    environments: str
    asked: dict[str, str]
    served: str | None
    calls: tuple[str, ...]
    outcome: CheckOutcome


def to_json(kept: KeptCheck) -> dict[str, Any]:
    """Return the form of an entry in JSON."""
    outcome = kept.outcome
    values = {field.name: getattr(kept, field.name) for field in fields(kept)}
    values["calls"] = list(kept.calls)
    values["outcome"] = {
        "findings": [_finding_to_json(finding) for finding in outcome.findings],
        "backends": dict(outcome.backends),
        "given_up": [str(path) for path in outcome.given_up],
    }
    return values


def from_json(values: dict[str, Any]) -> KeptCheck:
    """Return the entry of :func:`to_json`.

    Raises:
        KeyError: a field is missing.
        TypeError: a value is of another type.
    """
    outcome = values["outcome"]
    return KeptCheck(
        **{
            **values,
            "calls": tuple(values["calls"]),
            "outcome": CheckOutcome(
                [_finding_from_json(finding) for finding in outcome["findings"]],
                backends=outcome["backends"],
                given_up=[Path(path) for path in outcome["given_up"]],
            ),
        }
    )


def _finding_to_json(finding: Finding) -> dict[str, Any]:
    fixes = [[type(fix).__name__, _plain(asdict(fix))] for fix in finding.fixes]
    return {**_plain(asdict(finding)), "location": _plain(asdict(finding.location)), "fixes": fixes}


def _finding_from_json(values: dict[str, Any]) -> Finding:
    location = values["location"]
    return Finding(
        **{
            **values,
            "location": Location(Path(location["file"]), location["line"], location["column"]),
            "fixes": tuple(_fix(name, fields) for name, fields in values["fixes"]),
        }
    )


def _fix(name: str, values: dict[str, Any]) -> Fix:
    kind = FIXES[name]
    paths = {field.name for field in fields(kind) if field.type == "Path"}
    fix: Fix = kind(**{key: Path(text) if key in paths else text for key, text in values.items()})
    return fix


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {key: str(value) if isinstance(value, Path) else value for key, value in values.items()}
