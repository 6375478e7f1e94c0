"""What is simulated: models, instances, how the platform treats them, and how it scales."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from slipway.simulate.distribution import Distribution, constant
from slipway.triton.datatypes import Array

# an invocation gets ModelNotReadyException after 60 s, and a load may take 360 s (AWS,
# multi-model-endpoints.html); slipway.endpoint.limits has the same
NOT_READY_S, LOAD_S = 60.0, 360.0
NOTHING = constant(0.0)


@dataclass(frozen=True)
class Models:
    """The models: bytes of ``memory`` when loaded and of ``disk`` when downloaded, by number.

    Seconds: a ``download`` with its extraction, a ``load`` and an ``unload``, during which an
    instance does no other, ``settle`` after a load until the first request is passed on, ``first``
    for which that takes longer, ``ending`` after an unload until the memory is free, and ``serve``
    of a request on one core. ``overhead_s`` is added to every answer.

    ``concurrency`` is the number of requests that one loaded copy of a model serves at a time: the
    ``count`` of its ``instance_group``.
    """

    memory: Array
    disk: Array
    load: Distribution
    serve: Distribution
    unload: Distribution = NOTHING
    download: Distribution = NOTHING
    settle: Distribution = NOTHING
    first: Distribution = NOTHING
    ending: Distribution = NOTHING
    overhead_s: float = 0.0
    concurrency: int = 1

    @property
    def count(self) -> int:
        """Return how many there are."""
        return len(self.memory)


@dataclass(frozen=True)
class Shape:
    """One instance: ``cores``, and bytes of ``memory`` for models and of ``disk``; ``most_models``
    is a limit of loaded ones, 0 for none, as the local endpoint has it.

    ``makes_room`` says when models are unloaded for another: ``first``, as a full instance in AWS
    has to, or ``afterwards``, as the local endpoint does. ``loads_at_once`` is how many loads and
    unloads an instance does at the same time.
    """

    cores: int
    memory: float
    disk: float
    most_models: int = 0
    makes_room: Literal["first", "afterwards"] = "first"
    loads_at_once: int = 1


@dataclass(frozen=True)
class Scaling:
    """Target tracking on the invocations of an instance in a minute, as ``ci/infra`` sets it up.

    From AWS's "Target tracking scaling policies" and its alarms: it adds after 3 minutes above
    the target, and removes after 15 minutes below 90 % of it. A new instance serves after
    ``start_s``. The cooldowns are in seconds.
    """

    target: float
    least: int
    most: int
    out_s: float = 360.0
    in_s: float = 1080.0
    start_s: float = 240.0


@dataclass(frozen=True)
class Fleet:
    """``instances`` of one shape, with or without ``scaling``.

    ``copy_after_s``: a model is loaded on another instance as well when a request for it would
    wait for longer than this, and another instance is free earlier. ``None`` never does.
    """

    shape: Shape
    instances: int
    scaling: Scaling | None = None
    copy_after_s: float | None = 1.0
    not_ready_s: float = NOT_READY_S
    load_s: float = LOAD_S
