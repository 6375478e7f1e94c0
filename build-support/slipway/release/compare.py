"""What changes from one release to another: contents, interface, metrics and what is attested.

Records and manifests say most of it; of an artifact no more is read than its configs, and these
only if they differ.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from slipway.artifact.configs import config_digests, read_configs
from slipway.artifact.contents import Contents
from slipway.artifact.diff import Change, diff
from slipway.catalog import keys
from slipway.catalog.catalog import Catalog
from slipway.catalog.keys import Stage
from slipway.catalog.reader import unknown
from slipway.catalog.record import Record
from slipway.errors import SlipwayError
from slipway.model.interface import Interface, Tensor
from slipway.release.evaluation import evaluation
from slipway.release.evidence import evidence
from slipway.settings import Settings
from slipway.settings.release import STAGES
from slipway.store.interface import Reader
from slipway.store.open import open_stage


@dataclass(frozen=True)
class Side:
    """A release in ``stage``, whose store is ``reader``."""

    stage: Stage
    record: Record
    reader: Reader


@dataclass(frozen=True)
class Comparison:
    """``changes`` turn ``before`` into ``after``, as :class:`~slipway.artifact.diff.Change` says;
    beside its parts there are interface, metrics and evidence. ``commits`` are those that
    ``after`` brought, if ``before`` is what production serves."""

    before: Side
    after: Side
    changes: tuple[Change, ...]
    commits: tuple[str, ...] = ()


def compare(settings: Settings, name: str, before: str, after: str) -> Comparison:
    """Compare two releases of ``name``, each said by a version, a target model, a part of one, or
    a stage, for what its alias stands for there.

    Of two stages, production is always what is before: the changes are those that a promotion
    would bring.

    Raises:
        SlipwayError: there is no such release, or its configs cannot be read.
    """
    if (before, after) == ("staging", "production"):
        before, after = after, before
    catalogs = {stage: Catalog(open_stage(settings, stage), stage) for stage in STAGES}
    if not any(catalog.targets(name) for catalog in catalogs.values()):
        raise unknown(name, list(catalogs.values()))
    old, new = (_side(settings, catalogs, name, word) for word in (before, after))
    changes = _contents(old, new) + _interface(old.record.interface, new.record.interface)
    changes += _metrics(old.record, new.record) + _evidence(old, new)
    served = before == "production"
    return Comparison(old, new, tuple(changes), new.record.changes if served else ())


def _side(settings: Settings, catalogs: Mapping[Stage, Catalog], name: str, word: str) -> Side:
    for stage in STAGES:
        if word == stage:
            target = catalogs[stage].alias(name).target
            return Side(stage, catalogs[stage].record(name, target), open_stage(settings, stage))
    errors: list[SlipwayError] = []
    for stage in reversed(STAGES):  # production's versions have one release each
        try:
            target = catalogs[stage].resolve(name, word)
        except SlipwayError as error:
            errors.append(error)
        else:
            return Side(stage, catalogs[stage].record(name, target), open_stage(settings, stage))
    raise errors[-1]


def _contents(old: Side, new: Side) -> list[Change]:
    if old.record.sha256 == new.record.sha256:
        return []
    same = config_digests(old.record.manifest) == config_digests(new.record.manifest)
    return diff(*(_read(side, {} if same else _configs(side)) for side in (old, new)))


def _read(side: Side, texts: Mapping[str, str]) -> Contents:
    key, record = keys.artifact(side.stage, side.record.target), side.record
    return Contents(Path(key), record.size or 0, record.sha256, record.manifest, texts, {})


def _configs(side: Side) -> Mapping[str, str]:
    key = keys.artifact(side.stage, side.record.target)
    with side.reader.open(key) as stream:
        return read_configs(stream, key).texts


def _interface(old: Interface | None, new: Interface | None) -> list[Change]:
    if old is None or new is None:
        return []
    before, after = _tensors(old), _tensors(new)
    return _values("interface", before, after)


def _tensors(interface: Interface) -> dict[str, str]:
    found = {"largest batch": str(interface.max_batch_size or "no batches")}
    for direction, tensors in (("input", interface.inputs), ("output", interface.outputs)):
        found |= {f"{direction} {name}": _shown(tensor) for name, tensor in tensors.items()}
    return found


def _shown(tensor: Tensor) -> str:
    dims = ", ".join("any" if dim == -1 else str(dim) for dim in tensor.dims)
    return f"{tensor.datatype} [{dims}]" + (" (optional)" if tensor.optional else "")


def _metrics(old: Record, new: Record) -> list[Change]:
    return [
        Change(
            "metrics",
            one.name,
            None if one.served is None else f"{one.served:g}",
            (
                (None if one.candidate is None else f"{one.candidate:g}")
                if one.state != "refused"
                else f"{'—' if one.candidate is None else format(one.candidate, 'g')} (not allowed)"
            ),
        )
        for one in evaluation.compare(new, old)
        if one.state not in ("same",)
    ]


def _evidence(old: Side, new: Side) -> list[Change]:
    if old.record.sha256 == new.record.sha256 and old.stage == new.stage:
        return []
    return _values("evidence", _attested(old), _attested(new))


def _attested(side: Side) -> dict[str, str]:
    record = side.record
    known = evidence.read(side.reader, side.stage, record.name, record.sha256)
    found: dict[str, str] = dict.fromkeys(known, "there")
    tested = evidence.tested(side.reader, side.stage, record.name, record.sha256)
    if tested is not None:
        ran = tested.tests - tested.failures - tested.skipped
        found["tests"] = f"{ran} of {tested.tests} passed" + ("" if tested.passed else ": failed")
    return found


def _values(part: str, before: Mapping[str, str], after: Mapping[str, str]) -> list[Change]:
    names: Sequence[str] = list(dict.fromkeys([*before, *after]))
    return [
        Change(part, name, before.get(name), after.get(name))
        for name in names
        if before.get(name) != after.get(name)
    ]
