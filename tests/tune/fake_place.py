"""A place that serves ``doubling`` without a server of Triton."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from slipway.loadtest.address import local_address
from slipway.loadtest.exchange import Request
from slipway.model.config_interface import interface_of_folder
from slipway.model.interface import Interface, as_array
from slipway.testing.model import Model
from slipway.triton.datatypes import Array
from slipway.tune.load import CandidateFailed, Side
from slipway.tune.precision.lowered import Lowered

TARGET = "doubling.tar.gz"


class Doubling(Model):
    """The model of :func:`served_models.doubling`, without a server."""

    def __init__(self, interface: Interface) -> None:
        self.target = TARGET
        self.interface = interface

    def __call__(
        self, inputs: Mapping[str, Any], parameters: Mapping[str, Any] | None = None
    ) -> dict[str, Array]:
        declared = self.interface.inputs["X"]
        return {"Y": as_array("X", inputs["X"], declared, self.interface.batches) * 2}


@dataclass
class FakePlace:
    """A place that serves ``doubling`` at an address, and has room for a second one or not."""

    path: Path
    url: str = ""
    has_room: bool = True
    name: str = "doubling"
    lowered: Lowered | None = None
    fallbacks: tuple[str, ...] = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing was loaded."""

    def describe(self) -> str:
        return "a test"

    @property
    def baseline(self) -> Side:
        return self.side(TARGET, baseline=True)

    @property
    def baseline_model(self) -> Model:
        return Doubling(interface_of_folder(self.path))

    def folder(self, target: str | None = None) -> Path:
        return self.path

    def side(self, target: str, *, baseline: bool = False) -> Side:
        return Side(local_address(self.url, "local"), [Request(target, b"{}", "a/b")], baseline)

    @contextmanager
    def changed[T](self, change: Callable[[Path], T]) -> Iterator[tuple[Model, T]]:
        if not self.has_room:
            raise CandidateFailed("out of memory")
        yield self.baseline_model, change(self.path)

    def memory(self, target: str) -> tuple[int, int] | None:
        return None

    def cpu_seconds(self) -> float | None:
        return None
