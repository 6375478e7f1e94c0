"""``[models.<name>]`` of ``slipway.toml``: a model that a container of its own serves."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from slipway.errors import SlipwayError
from slipway.settings.release import STAGES, StageName
from slipway.settings.tables import unknown

KEYS = {"container", "entry", "environment"}
ENTRY = ("python", "code/serve.py")
# an image in ECR, in full: ACCOUNT.dkr.ecr.REGION.amazonaws.com/REPOSITORY:TAG
IMAGE = re.compile(
    r"[0-9]{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/[a-z0-9._/-]+(:[\w.-]+|@sha256:\w+)"
)
EXAMPLE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/wines:1.0"


@dataclass(frozen=True)
class ContainerSettings:
    """``[models.<name>]``: the model's container on a SageMaker endpoint of several.

    ``images`` are those in ECR, by stage. ``entry`` is the command that the image runs for
    ``serve``, in the folder of the extracted artifact; the local endpoint runs it in the
    environment of the model's ``requirements.lock``. ``environment`` are the container's variables.
    """

    name: str
    images: Mapping[StageName, str]
    entry: tuple[str, ...] = ENTRY
    environment: Mapping[str, str] = field(default_factory=dict)


def parse(path: Path, name: str, values: Any) -> ContainerSettings:
    """Return the settings of ``[models.<name>]``.

    Raises:
        SlipwayError: a key is unknown, or a value is not what the key takes.
    """
    where, place = f"{path}: [models.{name}]", f"models.{name}"
    if not isinstance(values, Mapping):
        raise unknown(path, place, [f"[models.{name}] with keys of its own"])
    for key in values:
        if key not in KEYS:
            raise unknown(path, f"{place}.{key}", KEYS)
    entry = values.get("entry", list(ENTRY))
    if not _is_texts(entry) or not entry:
        raise SlipwayError(
            f"entry is {entry!r}", where=where, fix='a command, such as ["python", "code/serve.py"]'
        )
    environment = values.get("environment", {})
    if not isinstance(environment, Mapping) or not _is_texts(list(environment.values())):
        raise SlipwayError(
            f"environment is {environment!r}", where=where, fix='a table of texts: {NAME = "value"}'
        )
    images = _images(values.get("container"), where)
    return ContainerSettings(name, images, tuple(entry), dict(environment))


def _images(value: Any, where: str) -> dict[StageName, str]:
    """Return the image of each stage from one text, or a table with one for each."""
    fix = f'an image in ECR, in full: container = "{EXAMPLE}"'
    if value is None:
        raise SlipwayError("container is missing", where=where, fix=fix)
    images = value if isinstance(value, Mapping) else dict.fromkeys(STAGES, value)
    if set(images) != set(STAGES):
        raise SlipwayError(
            f"container has the stages {', '.join(sorted(images)) or 'none'}",
            where=where,
            fix='container = { staging = "…", production = "…" }',
        )
    for image in images.values():
        if not isinstance(image, str) or not IMAGE.fullmatch(image):
            raise SlipwayError(f"container is {image!r}", where=where, fix=fix)
    return {stage: images[stage] for stage in STAGES}


def _is_texts(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)
