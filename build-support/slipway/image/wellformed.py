"""The form of a base's manifest and config, as far as the image that is made of them uses it.

Source: https://github.com/opencontainers/image-spec, manifest.md and config.md. Whoever wrote them
may have left out what is optional, and may be no friend.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from slipway.image.layout import DIGEST

type Check = Callable[[Any], bool]


def find_malformed(manifest: Mapping[str, Any], config: Mapping[str, Any]) -> str | None:
    """Return the name of a field that has not the form of the specification, or ``None``."""
    rootfs, settings = config.get("rootfs"), config.get("config")
    checks: list[tuple[str, Any, Check]] = [
        ("config", manifest.get("config"), _is_descriptor),
        ("layers", manifest.get("layers"), _list_of(_is_descriptor)),
        ("architecture", config.get("architecture"), _is_text),
        ("os", config.get("os"), _is_text),
        ("rootfs", rootfs, _is_object),
        ("history", config.get("history"), _optional(_list_of(_is_object))),
        ("config.config", settings, _optional(_is_object)),
    ]
    if isinstance(rootfs, dict):
        checks.append(("rootfs.diff_ids", rootfs.get("diff_ids"), _list_of(_is_digest)))
    if isinstance(settings, dict):
        for name in ("Env", "Entrypoint", "Cmd"):
            checks.append((f"config.{name}", settings.get(name), _optional(_list_of(_is_text))))
        checks.append(("config.Labels", settings.get("Labels"), _optional(_is_texts)))
    return next((name for name, value, is_right in checks if not is_right(value)), None)


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_texts(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(item, str) for item in value.values())


def _is_digest(value: Any) -> bool:
    return isinstance(value, str) and DIGEST.fullmatch(value) is not None


def _is_descriptor(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and _is_digest(value.get("digest"))
        and type(value.get("size")) is int
        and isinstance(value.get("mediaType"), str)
    )


def _list_of(is_right: Check) -> Check:
    return lambda value: isinstance(value, list) and all(is_right(item) for item in value)


def _optional(is_right: Check) -> Check:
    return lambda value: value is None or is_right(value)
