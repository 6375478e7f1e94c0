"""``slipway describe``."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from slipway.cli.models import name_argument
from slipway.cli.options import json_option, stage_option
from slipway.cli.progress import working
from slipway.units import format_minute

if TYPE_CHECKING:
    from rich.table import Table

    from slipway.catalog.alias import Alias
    from slipway.catalog.catalog import Catalog
    from slipway.catalog.journal import JournalEvent
    from slipway.catalog.record import Record
    from slipway.model.interface import Interface, Tensor
    from slipway.settings import Settings

NO_ALIAS = "none; slipway alias sets one"
SHA256_DIGITS = 12  # for people; --json has all digits


@click.command()
@name_argument
@stage_option("Describe only this stage.")
@click.option("--endpoint", metavar="NAME", help="Use the stage and store of this endpoint.")
@json_option("Print one JSON object, with all details.")
def describe(name: str, stage: str | None, endpoint: str | None, as_json: bool) -> None:
    """Show a model's inputs, outputs, releases and alias.

    Example: slipway describe screen_detection
    """
    from slipway import settings
    from slipway.catalog.reader import unknown_name

    if stage and endpoint:
        raise click.UsageError("--stage or --endpoint, not both")
    with working(f"reading the releases of {name}"):
        configured = settings.load(Path.cwd())
        catalogs = _catalogs(configured, stage, endpoint)
        descriptions = [
            _read(configured, catalog, name) for catalog in catalogs if catalog.targets(name)
        ]
        if not descriptions:
            raise unknown_name(name, catalogs)
    if as_json:
        stages = {description.stage: description.dump() for description in descriptions}
        click.echo(json.dumps({"name": name, "stages": stages}, indent=1))
        return
    for number, description in enumerate(descriptions):
        if number:
            click.echo()
        _print(name, description)


@dataclass(frozen=True)
class _Description:
    """A model in one stage.

    ``interface`` and ``evidence`` (short lines) are those of the release that the alias serves, or
    of the newest one if there is no alias; ``moved`` is the alias's last move.
    """

    stage: str
    interface: Interface
    alias: Alias | None
    releases: list[Record]
    moved: JournalEvent | None
    evidence: list[str]

    def dump(self) -> dict[str, object]:
        from slipway.cli.release import alias

        other_keys = ("manifest", "interface", "origin")
        return {
            "interface": self.interface.dump(),
            "alias": alias.dump(self.alias) if self.alias else None,
            "moved": None if self.moved is None else json.loads(self.moved.dump()),
            "evidence": self.evidence,
            "releases": [
                {"version": record.version}
                | {key: value for key, value in asdict(record).items() if key not in other_keys}
                | asdict(record.origin)
                for record in self.releases
            ],
        }


def _catalogs(configured: Settings, stage: str | None, endpoint: str | None) -> list[Catalog]:
    from slipway.catalog.catalog import Catalog
    from slipway.settings.release import STAGES
    from slipway.store.open import open_stage
    from slipway.store.open_reader import open_endpoint

    if endpoint is not None:
        entry = configured.endpoint(endpoint)
        return [Catalog(open_endpoint(configured, entry))]
    return [Catalog(open_stage(configured, s)) for s in STAGES if stage in (None, s)]


def _read(configured: Settings, catalog: Catalog, name: str) -> _Description:
    from slipway.catalog import journal, keys
    from slipway.release.evidence import evidence, summary

    releases = catalog.releases(name)
    alias = catalog.find_alias(name)
    target = alias.target if alias else releases[0].target
    interface = catalog.interface(name, target)
    events = catalog.source.store.keys(keys.history(catalog.stage, name))
    moved = journal.last_move(catalog.source.store, events)
    served = catalog.record(name, target)
    recorded = evidence.load_evidence(catalog.source, name, served.sha256)
    lines = summary.summarize(recorded, configured)
    return _Description(catalog.stage, interface, alias, releases, moved, lines)


def _print(name: str, description: _Description) -> None:
    from rich.console import Console

    from slipway.cli.release.alias import lines

    console = Console(highlight=False)
    console.print(f"[bold]{name}[/] in [bold]{description.stage}[/]\n")
    if description.interface.outputs:
        console.print(_tensors(description.interface))
    for line in (*_container(description), *_profile(description)):
        console.print(line, soft_wrap=True, markup=False)
    if description.interface.batches:
        console.print(f"batch: at most {description.interface.max_batch_size}")
    alias = lines(description.alias) if description.alias else [NO_ALIAS]
    if description.moved is not None and description.moved.action == "retire":
        alias = ["none: it was retired; slipway rollback or alias serves it again"]
    if description.moved is not None:
        alias.append(_moved(description.moved))
    parts = {"alias": alias, "evidence": description.evidence}
    for title, lines_of_part in {**parts, "releases": _releases(description.releases)}.items():
        if not lines_of_part:
            continue
        console.print(f"\n[italic]{title}[/]")
        for line in lines_of_part:
            console.print(f"  {line}", soft_wrap=True, markup=False)


def _container(description: _Description) -> list[str]:
    """Return how the containers of a model's releases are called; empty for one of Triton."""
    from slipway.catalog import keys

    served = description.alias.all_targets if description.alias else ()
    releases = [each for each in description.releases if each.manifest.container is not None]
    named = [each for each in releases if each.target in served or not served] or releases[:1]
    lines = []
    for release in named:
        entry = " ".join(map(str, (release.manifest.container or {})["entry"]))
        lines.append(f"container {keys.hostname(release.target)}: {entry}")
    return lines


def _profile(description: _Description) -> list[str]:
    """Return which of the served releases have a reference profile."""
    from slipway.profile.profile import FILE_NAME

    served = description.alias.all_targets if description.alias else ()
    releases = [each for each in description.releases if each.target in served]
    having = [
        each.target
        for each in releases or description.releases[:1]
        if any(name.endswith(f"/{FILE_NAME}") for name in each.manifest.sources)
    ]
    return [f"reference profile in {target}: slipway drift compares with it" for target in having]


def _tensors(interface: Interface) -> Table:
    from rich.markup import escape
    from rich.table import Table

    table = Table("", "tensor", "type", "shape", title="interface", title_justify="left")
    for direction, tensors in (("in", interface.inputs), ("out", interface.outputs)):
        for name, tensor in tensors.items():
            shape = _shape(interface, tensor) + (" (optional)" if tensor.optional else "")
            table.add_row(direction, escape(name), tensor.datatype, escape(shape))
    return table


def _shape(interface: Interface, tensor: Tensor) -> str:
    sizes = ["any" if dim == -1 else str(dim) for dim in tensor.dims]
    return f"[{', '.join((['batch'] if interface.batches else []) + sizes)}]"


def _moved(event: JournalEvent) -> str:
    from slipway.cli.format import pipeline

    by = " ".join(filter(None, (event.origin.by, pipeline(event.origin.pipeline))))
    reason = f": {event.reason}" if event.reason else ""
    action = f"{event.action} by {by}" if by else event.action
    return f"since {format_minute(event.when)} UTC ({action}){reason}"


def _releases(releases: list[Record]) -> list[str]:
    """Return two lines a release: target models are copied from here and must not be wrapped."""
    from slipway.cli.format import full_commit

    lines = []
    width = max(len(record.version) for record in releases)
    for record in releases:
        published = format_minute(record.published)
        commit = f"  {full_commit(record.commit)}" if record.commit else ""
        sha256 = record.sha256[:SHA256_DIGITS]
        lines.append(f"{record.version:{width}}  {published} UTC  sha256 {sha256}{commit}")
        lines.append(f"{'':{width}}  {record.target}")
    return lines
