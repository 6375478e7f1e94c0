"""Write a fold into a model's folder: all of it, or nothing."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from slipway import signature
from slipway.files import temp_sibling
from slipway.fold.plan import Plan
from slipway.model.folded import FOLDER, RECORD, FoldRecord, fold_sources, source_digests
from slipway.model.local_weights import reject_different
from slipway.model.original import POINTER
from slipway.model.pointer import load_pointer
from slipway.model.weights import Weights
from slipway.triton.config import FILE_NAME

SIGNATURE = ".signature.json"
LEFT_BEHIND = ("__pycache__",)


def graph_file(file: Path, store: Weights, scratch: Path) -> Path:
    """Return the graph at ``file``, or a copy in ``scratch`` of one under DVC that is not here.

    Raises:
        SlipwayError: it cannot be fetched, or what lies there is not what its pointer names.
    """
    file_of = file.with_name(file.name + POINTER)
    if not file_of.is_file():
        return file
    pointer = load_pointer(file_of)
    reject_different(pointer, file, store.root)
    if file.exists():
        return file
    store.pull(pointer, scratch / file.name)
    return scratch / file.name


@contextlib.contextmanager
def written(folder: Path, plan: Plan, store: Weights) -> Iterator[None]:
    """Make the models in ``folder`` what ``plan`` says; after an error they are as they were.

    So they are after an error inside the ``with`` statement, such as of a test.

    What a graph was folded of moves to ``folded/``, with weights, pointers and comments.

    Raises:
        SlipwayError: DVC refuses the graph.
    """
    with temp_sibling(folder / FOLDER) as temporary:
        temporary.mkdir()
        moves: list[tuple[Path, Path | None]] = []
        if plan.graph:
            moves += _graph_moves(folder, plan, store, temporary)
        else:
            moves.append((folder / plan.step, None))
        for name, text in plan.texts.items():
            if name == plan.inferencer:
                continue
            new = temporary / f"new-{name}"
            shutil.copytree(folder / name, new)
            (new / FILE_NAME).write_text(text, encoding="utf-8")
            moves.append((folder / name, new))
        with _exchanged(moves, temporary / "old"):
            yield


def _graph_moves(
    folder: Path, plan: Plan, store: Weights, temporary: Path
) -> list[tuple[Path, Path | None]]:
    """Return the folders that are exchanged, with their new contents; ``None``: it goes."""
    sources = temporary / "sources"
    names = (plan.step, plan.inferencer, plan.ensemble)
    known = fold_sources(folder)
    for name in names:
        skipped = shutil.ignore_patterns(*LEFT_BEHIND)
        shutil.copytree(
            known.get(name, folder / name), sources / name, ignore=skipped, symlinks=True
        )
    served = temporary / f"new-{plan.inferencer}"
    file = served / plan.file
    tracked = (sources / plan.inferencer / f"{plan.file}{POINTER}").is_file()
    shutil.copytree(
        folder / plan.inferencer,
        served,
        ignore=shutil.ignore_patterns(
            file.name, f"{file.name}{POINTER}", f"{file.name}{SIGNATURE}"
        ),
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(plan.graph)
    (served / FILE_NAME).write_text(plan.texts[plan.inferencer], encoding="utf-8")
    if tracked:
        signature.add_weights(file, store)
    record = FoldRecord(
        plan.step,
        plan.inferencer,
        plan.ensemble,
        f"{plan.inferencer}/{plan.file}",
        hashlib.md5(plan.graph, usedforsecurity=False).hexdigest(),
        source_digests(sources),
    )
    (sources / RECORD).write_text(record.dump(), encoding="utf-8")
    moves: list[tuple[Path, Path | None]] = [
        (folder / FOLDER, sources),
        (folder / plan.inferencer, served),
    ]
    if (folder / plan.step).exists():
        moves.append((folder / plan.step, None))
    return moves


def unfold(folder: Path, record: FoldRecord) -> None:
    """Serve the models below ``folded/`` again, as they are there now."""
    with temp_sibling(folder / FOLDER) as temporary:
        temporary.mkdir()
        moves: list[tuple[Path, Path | None]] = []
        for name, source in fold_sources(folder).items():
            copy = temporary / f"new-{name}"
            shutil.copytree(source, copy, symlinks=True)
            moves.append((folder / name, copy))
        moves.append((folder / FOLDER, None))
        with _exchanged(moves, temporary / "old"):
            pass


@contextlib.contextmanager
def _exchanged(moves: Sequence[tuple[Path, Path | None]], old: Path) -> Iterator[None]:
    """Put new folders in the place of others; after an error, put all back."""
    old.mkdir()
    done: list[tuple[Path, Path | None]] = []
    try:
        for target, new in moves:
            done.append((target, new))
            if target.exists():
                target.rename(old / target.name)
            if new is not None:
                new.rename(target)
        yield
    except BaseException:
        for target, new in reversed(done):
            if new is not None and target.exists() and not new.exists():
                target.rename(new)
            if (old / target.name).exists():
                (old / target.name).rename(target)
        raise
