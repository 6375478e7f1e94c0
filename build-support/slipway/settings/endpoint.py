"""``[endpoint.<name>]`` of ``slipway.toml``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from slipway.errors import SlipwayError
from slipway.settings.tables import size, unknown

KEYS = {
    "stage",
    "endpoint_name",
    "region",
    "profile",
    "store",
    "models",
    "memory",
    "disk",
    "cache",
    "allow",
    "largest_body",
    "containers",
    "mode",
    "capture",
    "capture_sample",
    "credentials",
    "policies",
    "role",
}


@dataclass(frozen=True)
class EndpointSettings:
    """``[endpoint.<name>]``: one SageMaker multi-model endpoint.

    With ``endpoint_name`` (and ``region``, ``profile`` of the AWS configuration) clients invoke
    that endpoint in AWS. Without it, they invoke the local one of ``slipway endpoint up``.
    ``stage`` selects the part of the release store that it serves, and its aliases.

    The other fields limit the local endpoint: the number of loaded ``models``, bytes of ``memory``
    and ``disk`` (0: no limit), ``largest_body`` of a request (0: 6 MiB; clients obey it, too),
    ``cache`` as SageMaker's ModelCacheSetting. ``allow`` lists the target models that callers may
    invoke (StringLike patterns).

    With ``containers``, names of models, it is a multi-container endpoint instead: in the mode
    ``direct`` callers name a container, which ``allow`` then limits; in ``serial`` the answer of
    each is the request of the next.

    ``capture`` makes the local endpoint and the clients keep what they are asked and what they
    answer: ``True`` in the release store, or the location of another folder or bucket.
    ``capture_sample`` is the share of the requests that is kept: that of a model's own
    ``capture.toml``, where it is less.

    ``credentials`` is a file whose credentials have to sign what the local endpoint is asked.
    ``policies`` is an environment of ``ci/infra`` whose policies decide, ``role`` the one of them
    that callers have.
    """

    name: str
    stage: Literal["staging", "production"] = "staging"
    endpoint_name: str | None = None
    region: str | None = None
    profile: str | None = None
    store: str | None = None
    models: int = 0
    memory: int = 0
    disk: int = 0
    cache: Literal["enabled", "disabled"] = "enabled"
    allow: tuple[str, ...] = ("*",)
    largest_body: int = 0
    containers: tuple[str, ...] = ()
    mode: Literal["direct", "serial"] = "direct"
    capture: bool | str = False
    capture_sample: float = 1.0
    credentials: str | None = None
    policies: str | None = None
    role: str | None = None


def parse(path: Path, name: str, values: Any) -> EndpointSettings:
    where, place = f"{path}: [endpoint.{name}]", f"endpoint.{name}"
    if not isinstance(values, dict):
        raise unknown(path, place, [f"[endpoint.{name}] with keys of its own"])
    for key in values:
        if key not in KEYS:
            raise unknown(path, f"{place}.{key}", KEYS)
    chosen = {"stage": "production" if name == "production" else "staging", **values}
    try:
        if chosen["stage"] not in ("staging", "production"):
            raise ValueError(f"stage is {chosen['stage']!r}: staging or production")
        if chosen.get("cache", "enabled") not in ("enabled", "disabled"):
            raise ValueError(f"cache is {chosen['cache']!r}: enabled or disabled")
        if chosen.get("mode", "direct") not in ("direct", "serial"):
            raise ValueError(f"mode is {chosen['mode']!r}: direct or serial")
        if "mode" in chosen and "containers" not in chosen:
            raise ValueError("mode is that of several containers: add containers, a list of models")
        chosen["containers"] = _names(chosen.get("containers", []))
        for key in {"memory", "disk", "largest_body"} & set(chosen):
            chosen[key] = size(chosen[key])
        for key in ("credentials", "policies", "role"):
            if not isinstance(chosen.get(key), str | None):
                raise ValueError(f"{key} is {chosen[key]!r}: a text")
        chosen["models"] = int(chosen.get("models", 0))
        _check_capture(chosen)
        chosen["allow"] = tuple(str(pattern) for pattern in chosen.get("allow", ("*",)))
    except (TypeError, ValueError) as error:
        raise SlipwayError(str(error), where=where, fix="correct the value") from error
    return EndpointSettings(name, **chosen)


def _check_capture(chosen: dict[str, Any]) -> None:
    capture = chosen.get("capture", False)
    if not isinstance(capture, (bool, str)) or capture == "":
        raise ValueError(f'capture is {capture!r}: true, or a location such as "s3://captures"')
    sample = chosen.get("capture_sample", 1.0)
    if isinstance(sample, bool) or not isinstance(sample, (int, float)) or not 0 < sample <= 1:
        raise ValueError(f"capture_sample is {sample!r}: a share of the requests, such as 0.1")


def _names(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise ValueError(f"containers is {value!r}: a list of models, in their order")
    if len(set(value)) != len(value):
        raise ValueError("containers names a model twice")
    return tuple(value)
