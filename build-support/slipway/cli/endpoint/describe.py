"""``slipway describe``."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from slipway.cli.progress import working

if TYPE_CHECKING:
    from rich.table import Table

    from slipway.catalog.alias import Alias
    from slipway.catalog.catalog import Catalog
    from slipway.catalog.journal import Event
    from slipway.catalog.record import Record
    from slipway.model.interface import Interface, Tensor
    from slipway.settings import Settings

SHA256_DIGITS, COMMIT_DIGITS = 12, 7  # for people; --json has them whole


@click.command()
@click.argument("name")
@click.option("--stage", type=click.Choice(["staging", "production"]), help="Only this one.")
@click.option("--endpoint", metavar="NAME", help="The stage and store of this endpoint.")
@click.option("--json", "as_json", is_flag=True, help="Everything, as one JSON object.")
def describe(name: str, stage: str | None, endpoint: str | None, as_json: bool) -> None:
    """Print what the model NAME takes and gives, its releases, and what its alias stands for.

    Example: slipway describe screen_detection
    """
    from slipway import settings
    from slipway.catalog.reader import unknown

    if stage and endpoint:
        raise click.UsageError("--stage or --endpoint, not both")
    with working(f"reading the releases of {name}"):
        configured = settings.load(Path.cwd())
        catalogs = _catalogs(configured, stage, endpoint)
        found = [_read(configured, catalog, name) for catalog in catalogs if catalog.targets(name)]
        if not found:
            raise unknown(name, catalogs)
    if as_json:
        stages = {described.stage: described.dump() for described in found}
        click.echo(json.dumps({"name": name, "stages": stages}, indent=1))
        return
    for number, described in enumerate(found):
        if number:
            click.echo()
        _print(name, described)


@dataclass(frozen=True)
class _Described:
    """A name in one stage. Interface and evidence, as short lines, are of what its alias stands
    for, else of the newest; ``moved`` is the alias's last move."""

    stage: str
    interface: Interface
    alias: Alias | None
    releases: list[Record]
    moved: Event | None
    evidence: list[str]

    def dump(self) -> dict[str, object]:
        from slipway.cli.release import alias as shown

        of_the_model = ("manifest", "interface", "origin")
        return {
            "interface": self.interface.dump(),
            "alias": shown.dump(self.alias) if self.alias else None,
            "moved": None if self.moved is None else json.loads(self.moved.dump()),
            "evidence": self.evidence,
            "releases": [
                {"version": record.version}
                | {key: value for key, value in asdict(record).items() if key not in of_the_model}
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
        asked = configured.endpoint(endpoint)
        return [Catalog(open_endpoint(configured, asked), asked.stage)]
    return [Catalog(open_stage(configured, one), one) for one in STAGES if stage in (None, one)]


def _read(configured: Settings, catalog: Catalog, name: str) -> _Described:
    from slipway.catalog import journal, keys
    from slipway.release.evidence import evidence, summary

    releases = catalog.releases(name)
    alias = catalog.find_alias(name)
    target = alias.target if alias else releases[0].target
    interface = catalog.interface(name, target)
    events = catalog.reader.keys(keys.history(catalog.stage, name))
    moved = journal.last_move(catalog.reader, events)
    served = catalog.record(name, target)
    known = evidence.read(catalog.reader, catalog.stage, name, served.sha256)
    said = summary.describe(known, configured)
    return _Described(catalog.stage, interface, alias, releases, moved, said)


def _print(name: str, described: _Described) -> None:
    from rich.console import Console

    from slipway.cli.release.alias import lines

    console = Console(highlight=False)
    console.print(f"[bold]{name}[/] in [bold]{described.stage}[/]\n")
    console.print(_tensors(described.interface))
    if described.interface.batches:
        console.print(f"batch: at most {described.interface.max_batch_size}")
    alias = lines(described.alias) if described.alias else ["none: slipway alias sets it"]
    if described.moved is not None:
        alias.append(_moved(described.moved))
    parts = {"alias": alias, "evidence": described.evidence}
    for title, said in {**parts, "releases": _releases(described.releases)}.items():
        if not said:
            continue
        console.print(f"\n[italic]{title}[/]")
        for line in said:
            console.print(f"  {line}", soft_wrap=True, markup=False)


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


def _moved(event: Event) -> str:
    from slipway.cli.format import minute, pipeline

    by = " ".join(filter(None, (event.origin.by, pipeline(event.origin.pipeline))))
    reason = f": {event.reason}" if event.reason else ""
    return f"since {minute(event.when)} UTC ({event.action}{' by ' + by if by else ''}){reason}"


def _releases(releases: list[Record]) -> list[str]:
    """Two lines each: a target model's key is copied from here, and must not be folded."""
    said = []
    width = max(len(record.version) for record in releases)
    for record in releases:
        published = record.published[:16].replace("T", " ")
        commit = f"  commit {record.commit[:COMMIT_DIGITS]}" if record.commit else ""
        sha256 = record.sha256[:SHA256_DIGITS]
        said.append(f"{record.version:{width}}  {published} UTC  sha256 {sha256}{commit}")
        said.append(f"{'':{width}}  {record.target}")
    return said
