"""An environment: ``ci/infra/<name>.toml``, which names a template, a stack and its parameters."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from slipway.errors import SlipwayError
from slipway.infra.template import Template
from slipway.infra.template import read as read_template
from slipway.settings import Settings
from slipway.settings.tables import unknown

FOLDER = Path("ci") / "infra"
KEYS = {"template", "stack", "region", "profile", "parameters", "tags"}
TRITON = "TritonRelease"  # slipway.toml has it, and no other file should


@dataclass(frozen=True)
class Environment:
    """One stack. ``region`` and ``profile`` are boto3's own where they are ``None``."""

    name: str
    path: Path
    template: Template
    stack: str
    region: str | None = None
    profile: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_production(self) -> bool:
        """Whether users are served by it."""
        return self.parameters.get("Stage") == "production"

    def with_parameters(self, changed: Mapping[str, str]) -> Environment:
        """The same with some parameters changed, and checked.

        Raises:
            SlipwayError: as :func:`read`.
        """
        made = replace(self, parameters={**self.parameters, **changed})
        made.template.check(made.parameters, str(self.path))
        return made


def names(root: Path) -> list[str]:
    """The environments of a repository."""
    return sorted(path.stem for path in (root / FOLDER).glob("*.toml"))


def read(settings: Settings, name: str) -> Environment:
    """The environment ``name`` of a repository, every parameter checked against its template.

    Raises:
        SlipwayError: there is none of that name, the file is no TOML, or a key, a parameter or
            a value is missing or wrong.
    """
    path = settings.root / FOLDER / f"{name}.toml"
    if name not in names(settings.root):
        known = ", ".join(names(settings.root)) or "none here"
        raise SlipwayError(
            f"no environment {name!r}",
            where=str(settings.root / FOLDER),
            fix=f"one of: {known}; or write {FOLDER / name}.toml",
        )
    try:
        values: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SlipwayError(
            f"not valid TOML: {error}", where=str(path), fix="mend the line named above"
        ) from error
    for key in values:
        if key not in KEYS:
            raise unknown(path, key, KEYS)
    template = read_template(path.parent / _text(path, values, "template", "environment.yaml"))
    parameters = {key: _word(value) for key, value in _table(path, values, "parameters").items()}
    if TRITON in template.parameters:
        parameters.setdefault(TRITON, settings.triton_release)
    template.check(parameters, str(path))
    return Environment(
        name,
        path,
        template,
        _text(path, values, "stack", f"slipway-{name}"),
        values.get("region"),
        values.get("profile"),
        parameters,
        {key: _word(value) for key, value in _table(path, values, "tags").items()},
    )


def _text(path: Path, values: Mapping[str, Any], key: str, default: str) -> str:
    value = values.get(key, default)
    if not isinstance(value, str):
        raise SlipwayError(f"{key} is {value!r}", where=str(path), fix="write it in quotes")
    return value


def _table(path: Path, values: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    table = values.get(key, {})
    if not isinstance(table, dict):
        raise SlipwayError(f"{key} is {table!r}", where=str(path), fix=f"make it a table: [{key}]")
    return table


def _word(value: Any) -> str:
    """As CloudFormation takes it: everything is text, and a list has commas."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(str(item) for item in value)
    return str(value)
