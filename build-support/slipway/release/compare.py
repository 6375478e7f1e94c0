"""Compare two releases: contents, interface, metrics and evidence.

Most of it comes from records and manifests. Of an artifact only its configs are read, and only if
they differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from slipway.artifact.configs import config_digests, read_configs
from slipway.artifact.contents import Contents
from slipway.artifact.diff import Change, diff
from slipway.catalog import keys
from slipway.catalog.catalog import Catalog
from slipway.catalog.reader import unknown_name
from slipway.catalog.record import Record
from slipway.errors import SlipwayError
from slipway.model.interface import Interface, Tensor
from slipway.release.evaluation import evaluation
from slipway.release.evidence import evidence
from slipway.release.training_diff import diff_runs
from slipway.settings import Settings
from slipway.settings.release import STAGES, StageName
from slipway.store.open import open_stage
from slipway.store.stage import StageReader

PRESENT = "present"  # evidence without figures of its own


@dataclass(frozen=True)
class ComparedRelease:
    """A release, and the stage that it is in."""

    source: StageReader
    record: Record

    @property
    def stage(self) -> StageName:
        """The stage's name."""
        return self.source.name


@dataclass(frozen=True)
class ReleaseComparison:
    """``changes`` turn ``before`` into ``after``, as :class:`~slipway.artifact.diff.Change` says;
    besides its parts there are interface, metrics, training and evidence. ``commits`` are those
    that ``after`` brought, if ``before`` is what production serves."""

    before: ComparedRelease
    after: ComparedRelease
    changes: tuple[Change, ...]
    commits: tuple[str, ...] = ()


def compare(settings: Settings, name: str, before: str, after: str) -> ReleaseComparison:
    """Compare two releases of ``name``. Each is a version, a target model, a part of one, or a
    stage for the release that its alias serves.

    Of two stages, production is always ``before``: the changes are those that a promotion would
    bring.

    Raises:
        SlipwayError: there is no such release, or its configs cannot be read.
    """
    if (before, after) == ("staging", "production"):
        before, after = after, before
    catalogs = {stage: Catalog(open_stage(settings, stage)) for stage in STAGES}
    if not any(catalog.targets(name) for catalog in catalogs.values()):
        raise unknown_name(name, list(catalogs.values()))
    old, new = (select_release(catalogs, name, selector) for selector in (before, after))
    changes = _diff_contents(old, new) + _diff_interface(old.record.interface, new.record.interface)
    changes += _diff_metrics(old.record, new.record) + _diff_training(old, new)
    changes += _diff_evidence(old, new)
    is_served = before == "production"
    return ReleaseComparison(old, new, tuple(changes), new.record.changes if is_served else ())


def select_release(
    catalogs: Mapping[StageName, Catalog], name: str, selector: str
) -> ComparedRelease:
    """Return the release that ``selector`` means: a stage, a version, a target model or a part.

    Raises:
        SlipwayError: there is no such release, or there are several.
    """
    for stage, catalog in catalogs.items():
        if selector == stage:
            record = catalog.record(name, catalog.alias(name).target)
            return ComparedRelease(catalog.source, record)
    errors: list[SlipwayError] = []
    for stage in reversed(STAGES):  # production's versions have one release each
        catalog = catalogs[stage]
        try:
            target = catalog.resolve(name, selector)
        except SlipwayError as error:
            errors.append(error)
        else:
            return ComparedRelease(catalog.source, catalog.record(name, target))
    raise errors[-1]


def _diff_contents(old: ComparedRelease, new: ComparedRelease) -> list[Change]:
    if old.record.sha256 == new.record.sha256:
        return []
    same = config_digests(old.record.manifest) == config_digests(new.record.manifest)
    return diff(*(_contents(release, with_configs=not same) for release in (old, new)))


def _contents(release: ComparedRelease, *, with_configs: bool) -> Contents:
    key, record = keys.artifact(release.stage, release.record.target), release.record
    texts: Mapping[str, str] = {}
    if with_configs:
        with release.source.store.open(key) as stream:
            texts = read_configs(stream, key).texts
    return Contents(Path(key), record.size or 0, record.sha256, record.manifest, texts, {})


def _diff_interface(old: Interface | None, new: Interface | None) -> list[Change]:
    if old is None or new is None:
        return []
    return _diff_values("interface", _describe_interface(old), _describe_interface(new))


def _describe_interface(interface: Interface) -> dict[str, str]:
    values = {"largest batch": str(interface.max_batch_size or "no batches")}
    for direction, tensors in (("input", interface.inputs), ("output", interface.outputs)):
        values |= {
            f"{direction} {name}": _describe_tensor(tensor) for name, tensor in tensors.items()
        }
    return values


def _describe_tensor(tensor: Tensor) -> str:
    dims = ", ".join("any" if dim == -1 else str(dim) for dim in tensor.dims)
    return f"{tensor.datatype} [{dims}]" + (" (optional)" if tensor.optional else "")


def _diff_metrics(old: Record, new: Record) -> list[Change]:
    changes: list[Change] = []
    for metric in evaluation.compare_metrics(new, old):
        if metric.state == "same":
            continue
        before = None if metric.served is None else f"{metric.served:g}"
        after = None if metric.candidate is None else f"{metric.candidate:g}"
        if metric.state == "refused":
            after = f"{after or '—'} (not allowed)"
        changes.append(Change("metrics", metric.name, before, after))
    return changes


def _diff_training(old: ComparedRelease, new: ComparedRelease) -> list[Change]:
    """Return how the trainings differ. Their statements are read only if a record names one."""
    if old.record.training == new.record.training:
        return []
    before, after = (
        (
            None
            if release.record.training is None
            else evidence.load_training(release.source, release.record.name, release.record.sha256)
        )
        for release in (old, new)
    )
    return diff_runs(*(None if trained is None else trained.run for trained in (before, after)))


def _diff_evidence(old: ComparedRelease, new: ComparedRelease) -> list[Change]:
    if old.record.sha256 == new.record.sha256 and old.stage == new.stage:
        return []
    return _diff_values("evidence", _describe_evidence(old), _describe_evidence(new))


def _describe_evidence(release: ComparedRelease) -> dict[str, str]:
    record = release.record
    documents = evidence.load_evidence(release.source, record.name, record.sha256)
    values: dict[str, str] = dict.fromkeys(documents, PRESENT)
    tested = evidence.load_test_result(release.source, record.name, record.sha256)
    if tested is not None:
        ran = tested.tests - tested.failures - tested.skipped
        values["tests"] = f"{ran} of {tested.tests} passed" + ("" if tested.passed else ": failed")
    return values


def _diff_values(part: str, before: Mapping[str, str], after: Mapping[str, str]) -> list[Change]:
    return [
        Change(part, name, before.get(name), after.get(name))
        for name in dict.fromkeys([*before, *after])
        if before.get(name) != after.get(name)
    ]
