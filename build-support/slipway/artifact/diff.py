"""List the changes between two artifacts, grouped by part."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass

from slipway.artifact.contents import Contents
from slipway.artifact.conversion import describe_conversion
from slipway.triton.config import FILE_NAME


@dataclass(frozen=True)
class Change:
    """One difference: ``part`` is release, code, config, weights, conversion, capture, packages or
    environment.

    ``before`` and ``after`` are the values, ``None`` for a missing one; ``detail`` is a unified
    diff of a text.
    """

    part: str
    name: str
    before: str | None
    after: str | None
    detail: str | None = None


def diff(a: Contents, b: Contents) -> list[Change]:
    """Return the changes that turn artifact ``a`` into ``b``; none if their contents are equal."""
    changes = _values("release", _release(a), _release(b))
    changes += _values("weights", _weights(a), _weights(b))
    changes += _values("conversion", _conversion(a), _conversion(b))
    changes += _values("capture", _capture(a), _capture(b))
    changes += _values("environment", _environment(a), _environment(b))
    changes += _values("packages", _packages(a), _packages(b))
    changes += _values("code", _code(a), _code(b))
    for model in sorted(set(a.configs) | set(b.configs)):
        before, after = a.configs.get(model, ""), b.configs.get(model, "")
        if before != after:
            name = f"{model}/{FILE_NAME}"
            lines = difflib.unified_diff(
                before.splitlines(), after.splitlines(), f"a/{name}", f"b/{name}", lineterm=""
            )
            changes.append(Change("config", name, None, None, "\n".join(lines)))
    return changes


def _values(part: str, a: Mapping[str, str], b: Mapping[str, str]) -> list[Change]:
    return [
        Change(part, name, a.get(name), b.get(name))
        for name in sorted(set(a) | set(b))
        if a.get(name) != b.get(name)
    ]


def _release(contents: Contents) -> dict[str, str]:
    manifest = contents.manifest
    return {
        "name": manifest.name,
        "version": manifest.version,
        "serves": manifest.serves,
        "builder": manifest.builder,
    }


def _weights(contents: Contents) -> dict[str, str]:
    return {
        name: f"md5 {weights['md5']}, {weights['size']:,} bytes"
        for name, weights in contents.manifest.weights.items()
    }


def _conversion(contents: Contents) -> dict[str, str]:
    record = contents.manifest.conversion
    return dict(describe_conversion(record)) if record else {}


def _capture(contents: Contents) -> dict[str, str]:
    """Return the rules of ``capture.toml``, by what they are of."""
    rules = contents.manifest.capture
    if rules is None:
        return {}
    tensors = {f"tensor {name}": rule for name, rule in rules["tensor"].items()}
    others = {key: value for key, value in rules.items() if key != "tensor"}
    return {
        name: " ".join(map(str, value.values())) if isinstance(value, dict) else str(value)
        for name, value in (others | tensors).items()
    }


def _environment(contents: Contents) -> dict[str, str]:
    environment = contents.manifest.environment
    if not environment:
        return {}
    keys = ("layout", "path", "python", "platform", "interpreter")
    values = {key: str(environment[key]) for key in keys}
    if zipped := environment.get("zipped"):  # earlier versions of Slipway zipped and pruned nothing
        values["zipped"] = ", ".join(sorted(zipped))
    if pruned := environment.get("pruned"):
        values["pruned"] = f"{pruned['files']:,} files, list {pruned['digest'][:12]}"
    return values


def _packages(contents: Contents) -> dict[str, str]:
    environment = contents.manifest.environment
    packages = environment["packages"] if environment else ()
    return {package["name"]: f"{package['version']} ({package['source']})" for package in packages}


def _code(contents: Contents) -> dict[str, str]:
    return {
        name: f"sha256 {digest[:12]}"
        for name, digest in contents.manifest.sources.items()
        if not name.endswith(f"/{FILE_NAME}")
    }
