"""Convert a file of a framework, and prove that what will be served answers as it does."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from slipway.errors import SlipwayError
from slipway.files import atomic_write
from slipway.formats import worker
from slipway.formats.compare import Comparison, compare
from slipway.formats.conversion import Conversion
from slipway.formats.exchange import converted_of, load_arrays, save_arrays
from slipway.formats.format import Arrays, Cause, Converted, Format, Options
from slipway.formats.isolated import Answer, Workplace, ask, workplace
from slipway.formats.plan import Demands, Task, plan
from slipway.formats.record import record_of
from slipway.formats.refusal import refuse
from slipway.formats.registry import place_of
from slipway.formats.serving import UNTESTABLE, serving_of


def convert(
    source: Path, out: Path, options: Options, demands: Demands | None = None
) -> Conversion:
    """Write what ``options.backend`` serves for ``source`` to the new folder ``out``.

    An empty backend is chosen by the format. Equal arguments give equal bytes.

    Raises:
        SlipwayError: the file is of no known format or damaged; it cannot be converted; or what
            would be served answers reference rows otherwise than the framework.
    """
    try:
        task = plan(source, options, demands or Demands())
        with atomic_write(out) as written:
            return replace(_prove(task, written), folder=out)
    except SlipwayError as error:
        error.where = error.where or str(source)
        raise


def _prove(task: Task, out: Path) -> Conversion:
    """Convert to ``out``; compare the answers of the framework with those of what it wrote."""
    with workplace() as place:
        answer = _convert(task, place)
        converted = converted_of(answer.result["converted"])
        _take_files(converted, place.work / worker.OUT, out)
        rows = load_arrays(place.work / worker.ROWS)
        answers = _answers(task, place)
    notes = [*converted.notes, *answer.result["notes"]]
    tolerance = task.demands.tolerance or converted.tolerance
    versions, difference = dict(answer.result["versions"]), None
    if task.options.backend in UNTESTABLE:
        notes.append(f"answers are not compared: {UNTESTABLE[task.options.backend]}")
    else:
        served, versions_served = _served(task, converted, rows, out)
        versions |= {f"served by {name}": text for name, text in versions_served.items()}
        comparison = compare(answers, served, tolerance)
        if comparison.rows.any():
            causes = _causes(task, converted, rows, comparison)
            both = (answers, served)
            raise refuse(task.source, converted, rows, both, comparison, tolerance, causes)
        difference = comparison.largest
        notes += _notes_of(comparison)
    converted = replace(converted, notes=tuple(notes), versions=versions)
    return Conversion(
        source=task.source,
        format=task.form.name,
        recognised=task.recognised,
        choice=task.choice,
        options=task.options,
        lock=task.lock,
        folder=out,
        converted=converted,
        rows=rows,
        drawn=task.demands.rows is None,
        answers=answers,
        difference=difference,
        record=record_of(task, converted, rows, difference, tolerance, out),
        isolation=str(answer.isolation),
    )


def _ask(task: Task, place: Workplace, request: Mapping[str, Any], what: str) -> Answer:
    return ask(
        place,
        request,
        lock=task.lock,
        what=f"{what} {task.source.name}",
        modules=place_of(task.form),
        loopback=_needs_loopback(task.form),
        limits=task.demands.limits,
    )


def _needs_loopback(form: Format) -> bool:
    return bool(getattr(form, "loopback", False))


def _place_source(task: Task, place: Workplace) -> str:
    for name in task.recognised.beside:
        target = place.inputs / "source" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(task.source.parent / name, target)
    return place.place(task.source, "source")


def _convert(task: Task, place: Workplace) -> Answer:
    options, rows = task.options, task.demands.rows
    request = {
        "task": "convert",
        "format": place_of(task.form),
        "source": _place_source(task, place),
        "options": {
            **asdict(options),
            "code": place.place(options.code, "code") if options.code else None,
        },
        "rows": place.place(rows, "rows") if rows else None,
        "seed": task.demands.seed,
        "compared": options.backend not in UNTESTABLE,
    }
    return _ask(task, place, request, "converting")


def _take_files(converted: Converted, written: Path, out: Path) -> None:
    """Copy the files that the process says it wrote; nothing else, and no link, is followed."""
    out.mkdir(parents=True)
    for name in converted.files:
        path = written / name
        inside = path.resolve().is_relative_to(written.resolve())
        if not inside or path.is_symlink() or not path.is_file():
            raise SlipwayError(
                f"the conversion has not written {name!r}",
                fix="this is a mistake of the format's module: report it",
            )
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, out / name)


def _answers(task: Task, place: Workplace) -> Arrays:
    file = place.work / worker.ANSWERS
    return load_arrays(file) if task.options.backend not in UNTESTABLE else {}


def _served(
    task: Task, converted: Converted, rows: Arrays, out: Path
) -> tuple[Arrays, dict[str, str]]:
    """Return the answers of what will be served, and the versions of what gave them."""
    backend = task.options.backend
    serving = serving_of(backend, task.options.triton, task.lock)
    with workplace() as place:
        shutil.copytree(out, place.inputs / worker.OUT)
        save_arrays(rows, place.inputs / worker.ROWS)
        request = {
            "task": "served",
            "module": serving.module,
            "converted": asdict(converted),
            "stand_in": f"{serving.release}\n{serving.stand_in}\n",
        }
        answer = ask(
            place,
            request,
            lock=serving.lock,
            what=f"answering as {backend} for {task.source.name}",
            library=serving.library,
            loopback=_needs_loopback(task.form) and serving.lock == task.lock,
            limits=task.demands.limits,
        )
        versions = {**answer.result["versions"]}
        if serving.stand_in:
            versions[backend] = serving.stand_in.partition(", ")[2]
        return load_arrays(place.work / worker.ANSWERS), versions


def _causes(task: Task, converted: Converted, rows: Arrays, comparison: Comparison) -> list[Cause]:
    """Ask the format what it knows; a format that fails in this knows nothing."""
    with workplace() as place:
        save_arrays(rows, place.inputs / worker.ROWS)
        request = {
            "task": "causes",
            "format": place_of(task.form),
            "source": _place_source(task, place),
            "converted": asdict(converted),
            "differs": comparison.rows.tolist(),
        }
        try:
            answer = _ask(task, place, request, "looking for the cause of a difference in")
        except SlipwayError as error:
            return [Cause(f"not known ({error.what})", "give rows of your own with --rows")]
        return [Cause(**values) for values in answer.result]


def _notes_of(comparison: Comparison) -> list[str]:
    notes = []
    if comparison.ties:
        notes.append(f"{comparison.ties} rows have another label, of scores that are equal")
    if comparison.left_out:
        notes.append(f"not compared: {', '.join(comparison.left_out)}")
    return notes
