"""The ways in which ``slipway new`` makes a folder; each shows what it will write."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from slipway.cli.progress import working
from slipway.errors import SlipwayError

if TYPE_CHECKING:
    from slipway.formats.conversion import Conversion
    from slipway.scaffold.columns import Wish
    from slipway.settings import Settings

type Write = Callable[[], Path]


@dataclass(frozen=True)
class Request:
    """What every kind is made of. ``choose``: the user is asked for what can be chosen."""

    name: str
    version: str
    max_batch_size: int | None
    choose: bool
    settings: Settings

    def batch(self, proposed: int) -> int:
        """Return the number of rows in a batch: the user's answer, or what is proposed."""
        if not self.choose or not proposed:
            return proposed
        rows: int = click.prompt("Rows in a batch, at most", proposed, type=click.IntRange(min=0))
        return rows


@dataclass(frozen=True)
class Wishes:
    """What is asked of a conversion; ``packages`` are those of the training, ``name==version``."""

    backend: str = ""
    rows: Path | None = None
    tolerance: float | None = None
    code: Path | None = None
    settings: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    columns: bool | None = None
    gpu: bool = False

    @property
    def of_conversion(self) -> bool:
        """Return whether an ONNX file has to go through a conversion as well."""
        return bool(self.backend or self.rows or self.tolerance or self.settings or self.packages)


def from_file(file: Path, wishes: Wishes, request: Request) -> Write:
    """Read ``file``, convert it if it is not ONNX, show what was found, and return the writer."""
    from slipway.formats.kinds.onnx import Onnx
    from slipway.formats.recognise import recognise

    form, recognised = recognise(file)
    click.echo(f"{file}: {recognised.about}")
    triton = request.settings.triton_release
    as_it_is = isinstance(form, Onnx) and form.is_served_as_it_is(recognised, triton)
    if as_it_is and not wishes.of_conversion:
        return _from_onnx(file, wishes, request)
    return _from_conversion(file, wishes, request)


def _from_onnx(file: Path, wishes: Wishes, request: Request) -> Write:
    from slipway.cli.new_output import show_derived
    from slipway.scaffold import from_onnx

    if wishes.columns:
        raise SlipwayError("ONNX names no columns", where=str(file), fix="leave --columns out")
    with working(f"reading {file}"):
        derived = from_onnx.derive(file, request.max_batch_size)
    chosen = request.batch(derived.steps.max_batch_size)
    if chosen != derived.steps.max_batch_size:
        derived = from_onnx.derive(file, chosen)
    show_derived(request.name, derived)
    return lambda: from_onnx.write(request.name, derived, request.settings, version=request.version)


def _from_conversion(file: Path, wishes: Wishes, request: Request) -> Write:
    from slipway.cli.new_output import show_conversion, show_plan
    from slipway.scaffold import from_conversion

    conversion = _convert(file, wishes, request)
    show_conversion(conversion)
    columns: Wish = {None: None, True: "columns", False: "tensor"}[wishes.columns]
    batch = request.max_batch_size
    if batch is None:
        batch = request.batch(conversion.converted.max_batch_size)
    planned = from_conversion.plan(
        conversion, max_batch_size=batch, columns=columns, gpu=wishes.gpu, rows=wishes.rows
    )
    show_plan(request.name, planned)
    return lambda: from_conversion.write(
        request.name, planned, request.settings, version=request.version
    )


def _convert(file: Path, wishes: Wishes, request: Request) -> Conversion:
    from slipway.formats.convert import convert
    from slipway.formats.format import Options
    from slipway.formats.plan import Demands, plan
    from slipway.formats.train_versions import lock_with
    from slipway.model.original import SEED

    options = Options(
        backend=wishes.backend,
        triton=request.settings.triton_release,
        code=wishes.code,
        settings=dict(map(_pair, wishes.settings)),
    )
    demands = Demands(wishes.rows, wishes.tolerance, SEED)
    if wishes.packages:
        base = plan(file, options, demands).lock
        with working("locking the training's packages"):
            lock = lock_with(base, wishes.packages)
        demands = Demands(wishes.rows, wishes.tolerance, SEED, lock)
    folder = click.get_current_context().with_resource(
        tempfile.TemporaryDirectory(prefix="slipway-new-")
    )
    with working(f"converting {file.name}, and comparing answers"):
        return convert(file, Path(folder) / "converted", options, demands)


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise SlipwayError(f"--set {text}: no KEY=VALUE", fix="--set max_batch_size=8")
    return key, value


def from_template(kind: str, about: str, request: Request) -> Write:
    """Return the writer of a working sample."""
    from slipway.scaffold import from_template as template

    rows = request.max_batch_size
    if rows is None:
        rows = request.batch(template.DEFAULT_BATCH)
    click.echo(f"{request.name}: {about}")
    return lambda: template.write(
        request.name, kind, request.settings, version=request.version, max_batch_size=rows
    )


def from_prebuilt(prebuilt: str, request: Request) -> Write:
    """Return the writer of a model of a package."""
    from slipway.scaffold.prebuilt.registry import find_prebuilt
    from slipway.scaffold.prebuilt.write import write

    if request.max_batch_size is not None:
        raise SlipwayError(
            "a prebuilt model has its own batches",
            fix="leave --max-batch-size out, and change the folder's configs",
        )
    kind = find_prebuilt(prebuilt)
    click.echo(f"{request.name}: {kind.about}")
    return lambda: write(request.name, kind, request.settings, version=request.version)
