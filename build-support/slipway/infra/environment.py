"""An environment: ``ci/infra/<name>.toml``, which names a template, a stack and its parameters."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from slipway.errors import SlipwayError
from slipway.infra.template import Template, load_template
from slipway.settings import Settings
from slipway.settings.tables import unknown

FOLDER = Path("ci") / "infra"
# parameters whose default is AWS's image, which depends on the region (serving.py)
IMAGES = ("TritonImage",)
KEYS = {"template", "stack", "endpoint", "region", "profile", "parameters", "tags"}


@dataclass(frozen=True)
class Environment:
    """One stack. ``region`` and ``profile`` are ``None`` where boto3's defaults apply.
    ``triton_release`` and ``explicit_tensors`` are those of ``slipway.toml``, of which ``endpoint``
    is the one whose containers the stack has."""

    name: str
    path: Path
    template: Template
    stack: str
    triton_release: str
    explicit_tensors: bool = True
    region: str | None = None
    profile: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    endpoint: str | None = None

    @property
    def is_production(self) -> bool:
        """Return whether this environment serves users."""
        return self.parameters.get("Stage") == "production"

    def with_parameters(self, changed: Mapping[str, str]) -> Environment:
        """Return this environment with some parameters changed, after checking them.

        Raises:
            SlipwayError: as :func:`load_environment`.
        """
        changed_environment = replace(self, parameters={**self.parameters, **changed})
        changed_environment.template.check(
            changed_environment.parameters, str(self.path), open_until_sent=IMAGES
        )
        return changed_environment


def environment_names(root: Path) -> list[str]:
    """Return the names of a repository's environments."""
    return sorted(path.stem for path in (root / FOLDER).glob("*.toml"))


def load_environment(settings: Settings, name: str, *, to_deploy: bool = True) -> Environment:
    """Return a repository's environment ``name``, with parameters checked against its template.
    Unless it is ``to_deploy``, parameters may lack a value.

    Raises:
        SlipwayError: the environment does not exist, the file is not TOML, or a key, a parameter or
            a value is missing or wrong.
    """
    path = settings.root / FOLDER / f"{name}.toml"
    if name not in environment_names(settings.root):
        known = ", ".join(environment_names(settings.root)) or "none"
        raise SlipwayError(
            f"no environment {name!r}",
            where=str(settings.root / FOLDER),
            fix=f"use an existing environment ({known}), or write {FOLDER / name}.toml",
        )
    try:
        values: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SlipwayError(
            f"not valid TOML: {error}", where=str(path), fix="correct the line named in the error"
        ) from error
    for key in values:
        if key not in KEYS:
            raise unknown(path, key, KEYS)
    template = load_template(path.parent / _text(path, values, "template", "environment.yaml"))
    parameters = {key: _as_text(value) for key, value in _table(path, values, "parameters").items()}
    open_parameters = IMAGES if to_deploy else tuple(template.parameters)
    template.check(parameters, str(path), open_until_sent=open_parameters)
    return Environment(
        name,
        path,
        template,
        _text(path, values, "stack", f"slipway-{name}"),
        settings.triton_release,
        settings.explicit_tensors,
        values.get("region"),
        values.get("profile"),
        parameters,
        {key: _as_text(value) for key, value in _table(path, values, "tags").items()},
        values.get("endpoint"),
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


def _as_text(value: Any) -> str:
    """Return ``value`` as CloudFormation takes it: as text, a list with commas."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(str(item) for item in value)
    return str(value)
