"""What a new lock brings that nobody would notice: size, old versions, CUDA, unused settings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from slipway.environment.locking.newest import PassedOver
from slipway.environment.locking.pip_settings import PipSetting
from slipway.environment.locking.sizes import WheelSize
from slipway.units import format_bytes

LARGEST = 5
PAGE = "docs/environments.md"
CUDA = re.compile(r"nvidia-.*|cuda-.*|cupy-cuda.*|.*-gpu|triton")
# of packages whose usual build brings CUDA: how the build without it is had
CPU_BUILDS = {
    "torch": '[pip] torch-backend = "cpu" in uv.toml, or an index that has its CPU builds',
    "xgboost": "write xgboost-cpu instead of xgboost",
    "tensorflow": "write tensorflow-cpu instead of tensorflow",
    "onnxruntime-gpu": "write onnxruntime instead of onnxruntime-gpu",
}


@dataclass(frozen=True)
class LockReport:
    """``sizes`` by packages; ``gpu`` is whether a configuration of the model asks for one.

    ``unknown`` is why newer versions could not be looked for, empty if they were.
    """

    sizes: Mapping[str, WheelSize]
    packages: int
    passed_over: tuple[PassedOver, ...]
    unused: tuple[PipSetting, ...]
    gpu: bool
    unknown: str = ""

    def lines(self) -> list[str]:
        """Return the report, one statement a line."""
        notes = [f"older than the newest: {passed}" for passed in self.passed_over]
        notes += [f"newer versions are not known: {self.unknown}"] if self.unknown else []
        notes += [f"not used: {setting.advice}" for setting in self.unused]
        return [*self._sizes(), *self._cuda(), *notes]

    def _sizes(self) -> list[str]:
        if not self.sizes:
            return []
        wheels = sum(size.wheel for size in self.sizes.values())
        unpacked = sum(size.unpacked or 0 for size in self.sizes.values())
        unknown = self.packages - sum(size.unpacked is not None for size in self.sizes.values())
        missing = f", without {unknown} whose size the index does not say" if unknown else ""
        largest = sorted(self.sizes, key=lambda name: -self.sizes[name].wheel)[:LARGEST]
        names = ", ".join(f"{name} {format_bytes(self.sizes[name].wheel)}" for name in largest)
        packages = "1 package" if self.packages == 1 else f"{self.packages} packages"
        return [
            f"{packages}: {format_bytes(wheels)} to download,"
            f" {format_bytes(unpacked)} unpacked{missing}",
            f"largest: {names}",
        ]

    def _cuda(self) -> list[str]:
        names = sorted(name for name in self.sizes if CUDA.fullmatch(name))
        if not names or self.gpu:
            return []
        size = sum(self.sizes[name].wheel for name in names)
        fixes = [fix for name, fix in CPU_BUILDS.items() if name in self.sizes]
        quoted = ", ".join(f'"{name}"' for name in names)
        fixes = fixes or [f"exclude-dependencies = [{quoted}] in uv.toml"]
        shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        return [
            f"for a GPU: {format_bytes(size)} of {shown}, which no CPU instance loads. For the CPU"
            f" build: {'; '.join(fixes)} ({PAGE})"
        ]
