"""SageMaker's CPU instance types: cores, memory and local disk.

From EC2's DescribeInstanceTypes: an ``ml.m5.large`` is EC2's ``m5.large``. Sizes are regular, so a
family's ratio describes them; a test compares each with EC2's own answer, and the list with the one
of SageMaker's service model (``ProductionVariantInstanceType``).
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from slipway.errors import SlipwayError
from slipway.infra.instances import hardware

GIB = 1 << 30
_OLD = "large xlarge 2xlarge 4xlarge"
_FIVE = f"{_OLD} 12xlarge 24xlarge"
_SIX = f"{_OLD} 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge"
_SEVEN = f"{_OLD} 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge"
_C5 = f"{_OLD} 9xlarge 18xlarge"
# family: GiB of memory and GB of local disk for each virtual CPU, and the sizes
FAMILIES: dict[str, tuple[float, float, str]] = {
    "c4": (1.875, 0, f"{_OLD} 8xlarge"),
    "c5": (2, 0, _C5),
    "c5d": (2, 25, _C5),
    "c6i": (2, 0, _SIX),
    "c6in": (2, 0, _SIX),
    "c7i": (2, 0, _SEVEN),
    "m4": (4, 0, "xlarge 2xlarge 4xlarge 10xlarge 16xlarge"),
    "m5": (4, 0, _FIVE),
    "m5d": (4, 37.5, _FIVE),
    "m6i": (4, 0, _SIX),
    "m7i": (4, 0, _SEVEN),
    "r5": (8, 0, _FIVE),
    "r5d": (8, 37.5, _FIVE),
    "r6i": (8, 0, _SIX),
    "r7i": (8, 0, _SEVEN),
    "t2": (4, 0, "large xlarge 2xlarge"),
}
# the one size of each family that does not have its ratio: cores, GiB
IRREGULAR = {"ml.c4.8xlarge": (36, 60), "ml.t2.medium": (2, 4)}


@dataclass(frozen=True)
class InstanceType:
    """``cores`` are virtual CPUs; ``memory`` and ``disk`` are in bytes, ``disk`` is 0 without one
    of its own."""

    name: str
    cores: int
    memory: int
    disk: int = 0


def _types() -> dict[str, InstanceType]:
    types = {}
    for family, (memory, disk, sizes) in FAMILIES.items():
        for size in sizes.split():
            name = f"ml.{family}.{size}"
            times = size.removesuffix("large").removesuffix("x")
            cores = 2 if size == "large" else 4 * int(times or 1)
            types[name] = InstanceType(
                name, cores, int(cores * memory * GIB), int(cores * disk * 1e9)
            )
    for name, (cores, gib) in IRREGULAR.items():
        types[name] = InstanceType(name, cores, gib * GIB)
    return types


TYPES = _types()


def find_instance_type(name: str) -> InstanceType:
    """Return the instance type ``name``, such as ``ml.m5.xlarge``.

    Raises:
        SlipwayError: it is unknown, or computes with something else than CPUs.
    """
    if name in TYPES:
        return TYPES[name]
    near = difflib.get_close_matches(name, TYPES, n=3) or ["ml.m5.xlarge", "ml.r5.xlarge"]
    fix = f"name one of the CPU instance types of SageMaker, such as {', '.join(near)}"
    if name.count(".") == 2 and hardware(name) == "gpu":
        raise SlipwayError(
            f"{name} has GPUs, whose memory the simulation does not know",
            fix="simulate the models on CPU instances, or measure one: slipway loadtest",
        )
    raise SlipwayError(f"there is no instance type {name!r}", fix=fix)
