"""Diagnose this machine and this repository: what is available, what is missing, how to fix it."""

from __future__ import annotations

from collections.abc import Iterator

from slipway.doctor.conversions import diagnose_conversions
from slipway.doctor.diagnosis import Diagnosis
from slipway.doctor.pythons import diagnose_pythons
from slipway.doctor.servers import diagnose_docker, diagnose_tensors, diagnose_triton
from slipway.doctor.services import (
    diagnose_channels,
    diagnose_remote_cache,
    diagnose_remotes,
    diagnose_stores,
)
from slipway.formats.readiness import cached_environments, find_isolation
from slipway.server.command import has_gpu
from slipway.settings import Settings


def examine(settings: Settings) -> Iterator[Diagnosis]:
    """Yield a diagnosis of each tool and service that Slipway uses, local ones first."""
    yield Diagnosis("settings", "ok", str(settings.root / "slipway.toml"))
    yield from diagnose_pythons(settings)
    yield from diagnose_triton(settings)
    yield diagnose_tensors(settings)
    yield diagnose_docker()
    yield (
        Diagnosis("GPU", "ok", "an NVIDIA device")
        if has_gpu()
        else Diagnosis("GPU", "note", "none: tests use KIND_CPU for KIND_GPU, in a copy")
    )
    yield diagnose_channels(settings)
    yield from diagnose_conversions(find_isolation, *cached_environments())
    yield from diagnose_remotes(settings)
    yield from diagnose_remote_cache(settings.remote)
    yield from diagnose_stores(settings)
    for name in settings.endpoints:
        yield Diagnosis("endpoint", "ok", name)
    if not settings.endpoints:
        yield Diagnosis(
            "endpoint", "note", "none in slipway.toml: `slipway endpoint up` serves the store here"
        )
