"""Propose a release version by comparing two artifacts' manifests.

Changed configs are parsed; all else is compared by its digest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import semver

from slipway.artifact.artifact import Artifact
from slipway.artifact.configs import config_digests, read_configs
from slipway.artifact.manifest import Manifest
from slipway.catalog import keys
from slipway.catalog.record import Record
from slipway.model.config_interface import interface_of_config
from slipway.model.interface import Interface
from slipway.release.versioning import compatibility
from slipway.release.versioning.compatibility import PARTS, Reason, VersionPart
from slipway.store.stage import StageReader
from slipway.triton import config

CODE = (".py", ".pyi")


@dataclass(frozen=True)
class ComparedRelease:
    """The parts of an artifact that its version depends on. ``configs`` returns the texts by model
    name, or ``None`` if the artifact was removed; it is called only if a config changed."""

    manifest: Manifest
    interface: Interface | None
    configs: Callable[[], Mapping[str, str] | None]


@dataclass(frozen=True)
class Proposal:
    """The next ``version``, with ``part`` raised; ``None`` if nothing but the version changed.
    ``reasons`` are in falling order of their parts."""

    part: VersionPart | None
    version: str
    reasons: tuple[Reason, ...]


def from_artifact(artifact: Artifact) -> ComparedRelease:
    """Return a local artifact for comparison.

    Raises:
        SlipwayError: the file is not a Slipway artifact.
    """
    return ComparedRelease(artifact.manifest, None, lambda: artifact.configs.texts)


def from_record(stage: StageReader, released: Record) -> ComparedRelease:
    """Return a release for comparison. Its artifact is read only if its configs are."""

    def texts() -> Mapping[str, str] | None:
        key = keys.artifact(stage.name, released.target)
        if stage.store.stat(key) is None:
            return None
        with stage.store.open(key) as stream:
            return read_configs(stream, key).texts

    return ComparedRelease(released.manifest, released.interface, texts)


def propose_version(before: ComparedRelease, after: ComparedRelease) -> Proposal:
    """Return the changes from ``before`` to ``after``, and the version that they require.

    Incompatible for callers → major; weights, data files or config values that may change an
    answer → minor; code, packages and rebuilt environments → patch.
    """
    was, now = before.manifest, after.manifest
    reasons = [*_configs(before, after), *_weights(was, now), *_files(was, now)]
    reasons += _environment(was.environment or {}, now.environment or {})
    if was.builder != now.builder:
        reasons.append(Reason("patch", f"built by {now.builder} instead of {was.builder}"))
    reasons.sort(key=lambda reason: -PARTS.index(reason.part))
    part = compatibility.highest_part(reasons)
    version = semver.Version.parse(was.version)
    return Proposal(part, str(next_version(version, part)), tuple(reasons))


def next_version(version: semver.Version, part: VersionPart | None) -> semver.Version:
    """Return the lowest version with ``part`` raised; after a pre-release, maybe its release."""
    return version if part is None else version.next_version(part)


def _configs(before: ComparedRelease, after: ComparedRelease) -> Iterator[Reason]:
    was, now = config_digests(before.manifest), config_digests(after.manifest)
    served, serves = before.manifest.serves, after.manifest.serves
    for model in sorted(was.keys() - now.keys() - {served}):
        yield Reason("minor", f"model {model} is gone")
    for model in sorted(now.keys() - was.keys() - {serves}):
        yield Reason("minor", f"model {model} is new")
    if served != serves:
        yield Reason("minor", f"it serves {serves} instead of {served}")
    pairs = {name: name for name in sorted(was.keys() & now.keys())} | {served: serves}
    changed = {old: new for old, new in pairs.items() if was.get(old) != now.get(new)}
    if not changed:
        return
    texts, new_texts = before.configs(), after.configs() or {}
    if texts is None:
        yield from _without_texts(before, after, changed, new_texts)
        return
    for old, new in changed.items():
        first = config.parse_config(texts[old], where=f"{before.manifest.version}: {old}")
        second = config.parse_config(new_texts[new], where=new)
        reasons = list(compatibility.config_changes(new, first, second, old == served))
        if old == served:
            first, second = interface_of_config(first), interface_of_config(second)
            reasons = [*compatibility.interface_changes(first, second), *reasons]
        yield from reasons or [Reason("patch", f"{new}: how its config is written")]


def _without_texts(
    before: ComparedRelease,
    after: ComparedRelease,
    changed: Mapping[str, str],
    texts: Mapping[str, str],
) -> Iterator[Reason]:
    """Yield the changes of configs whose old texts were removed, by the record's interface."""
    for old, new in changed.items():
        if old == before.manifest.serves and before.interface is not None:
            parsed = config.parse_config(texts[new], where=new)
            yield from compatibility.interface_changes(
                before.interface, interface_of_config(parsed)
            )
        yield Reason("minor", f"{new}: its config; that of {before.manifest.version} was pruned")


def _weights(was: Manifest, now: Manifest) -> Iterator[Reason]:
    before = {name: weights["md5"] for name, weights in was.weights.items()}
    after = {name: weights["md5"] for name, weights in now.weights.items()}
    for name, how in _differences(before, after):
        yield Reason("minor", f"weights {name} {how}")


def _files(was: Manifest, now: Manifest) -> Iterator[Reason]:
    for name, how in _differences(_sources(was), _sources(now)):
        kind, part = ("code", PARTS[0]) if name.endswith(CODE) else ("data", PARTS[1])
        yield Reason(part, f"{kind} {name} {how}")


def _sources(manifest: Manifest) -> dict[str, str]:
    config_names = {f"{model}/{config.FILE_NAME}" for model in config_digests(manifest)}
    return {name: digest for name, digest in manifest.sources.items() if name not in config_names}


def _environment(was: Mapping[str, object], now: Mapping[str, object]) -> Iterator[Reason]:
    before, after = _packages(was), _packages(now)
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            yield Reason(
                "patch", f"package {name} {before.get(name, '—')} → {after.get(name, '—')}"
            )
    setting_changed = False
    for key in ("python", "platform", "interpreter", "layout"):
        if was.get(key) != now.get(key):
            setting_changed = True
            yield Reason("patch", f"environment: {key} {was.get(key, '—')} → {now.get(key, '—')}")
    if before == after and not setting_changed and was.get("sha256") != now.get("sha256"):
        yield Reason("patch", "environment: the same packages, rebuilt")


def _packages(environment: Mapping[str, object]) -> dict[str, str]:
    packages = environment.get("packages", ())
    assert isinstance(packages, list | tuple)
    return {str(p["name"]): f"{p['version']} ({p['source']})" for p in packages}


def _differences(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            if name not in before:
                yield name, "is new"
            else:
                yield name, "changed" if name in after else "is gone"
