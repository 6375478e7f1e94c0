"""SageMaker's instance types: their hardware, and whether they have a disk of their own.

EC2's DescribeInstanceTypes says of each type whether it has a local disk
(``InstanceStorageSupported``). An endpoint on such a type uses that disk, which takes neither a
size nor a key. Every other type gets an EBS volume.
"""

from __future__ import annotations

from typing import Literal

Hardware = Literal["cpu", "gpu"]

LOCAL_DISK = frozenset(
    "c5d c6gd dl1 g4dn g5 g6 g6e g7 g7e m5d m6gd p4d p4de p5 p5e p5en p6-b200 p6-b300 p6e-gb200"
    " r5d r6gd r7gd trn1 trn1n trn2".split()
)
VOLUME_ONLY = frozenset(
    "c4 c5 c6g c6gn c6i c6in c7g c7i c8g inf1 inf2 m4 m5 m6g m6i m7i m8g p2 p3 r5 r6g r6i r7i r8g"
    " t2".split()
)
# AWS's Graviton processors; the serving images are built for x86-64
ARM = frozenset("c6g c6gd c6gn c7g c8g m6g m6gd m8g r6g r6gd r7gd r8g".split())


def family(instance_type: str) -> str:
    """Return the family of an instance type: ``m5d`` of ``ml.m5d.large``."""
    return instance_type.split(".")[1]


def has_local_disk(instance_type: str) -> bool | None:
    """Return whether an instance has a disk of its own; ``None`` for an unknown family."""
    name = family(instance_type)
    return True if name in LOCAL_DISK else False if name in VOLUME_ONLY else None


def hardware(instance_type: str) -> Hardware | None:
    """Return what an instance type computes with, ``None`` if Triton's images do not run there.

    The rule for CPU and GPU is that of ``image_uris.retrieve`` in AWS's SDK: families whose name
    begins with ``g`` or ``p`` are GPUs.
    """
    name = family(instance_type)
    if name in ARM or name.startswith(("inf", "trn", "dl")):
        return None
    return "gpu" if name[0] in "gp" else "cpu"
