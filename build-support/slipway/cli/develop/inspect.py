"""``slipway inspect``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from slipway.cli.options import json_option
from slipway.units import format_megabytes

if TYPE_CHECKING:
    from rich.table import Table

    from slipway.artifact.contents import Contents

SHORTENED = ("original sha256", "conversion lock")
DIGITS = 12  # of a digest, for people; --json has the complete digest


@click.command()
@click.argument("artifact", type=click.Path(dir_okay=False, path_type=Path))
@json_option()
def inspect(artifact: Path, as_json: bool) -> None:
    """Show what an artifact contains.

    Lists its models, signatures, sizes, packages and provenance.

    Example: slipway inspect dist/screen_detection_1.0.0.tar.gz
    """
    from rich.console import Console

    from slipway.artifact.contents import read_contents

    inspected = read_contents(artifact)
    if as_json:
        click.echo(json.dumps(_as_json(inspected), indent=1, sort_keys=True))
        return
    console = Console(highlight=False)
    manifest = inspected.manifest
    serves = f"serves {manifest.serves}" if manifest.serves else "for a container of its own"
    console.print(f"[bold]{manifest.name} {manifest.version}[/]  {serves}")
    console.print(f"{format_megabytes(inspected.size)}, {len(inspected.files)} files")
    console.print(f"sha256 {inspected.sha256}\n", soft_wrap=True)
    if inspected.profile:
        size = inspected.files[inspected.profile][0]
        console.print(f"reference profile {inspected.profile}, {size / 1000:.1f} kB\n")
    shown = (_packages, _provenance)
    for table in shown if manifest.container else (_models, _signatures, *shown):
        console.print(table(inspected))


def _models(contents: Contents) -> Table:
    from rich.table import Table

    table = Table("model", "backend", "batch", "size", title="models", title_justify="left")
    for name in _in_order(contents):
        parsed = contents.config(name)
        backend = parsed.backend or parsed.platform
        size = format_megabytes(_own_size(contents, name), 2)
        table.add_row(name, backend, str(parsed.max_batch_size), size)
    return table


def _signatures(contents: Contents) -> Table:
    from rich.table import Table

    from slipway.triton import config

    table = Table("model", "", "tensor", "type", "shape", title="signatures", title_justify="left")
    for name in _in_order(contents):
        parsed = contents.config(name)
        for direction, tensors in (("in", parsed.input), ("out", parsed.output)):
            for tensor in tensors:
                dims = ", ".join(str(dim) for dim in tensor.dims)
                kind = config.dtype_name(tensor.data_type)
                table.add_row(name, direction, tensor.name, kind, f"\\[{dims}]")
        table.add_section()
    return table


def _packages(contents: Contents) -> Table:
    from rich.table import Table

    environment = contents.manifest.environment
    container = contents.manifest.container
    title = "packages of the image" if container else "environment"
    table = Table("package", "version", "source", title=title, title_justify="left")
    forms = _forms(environment or {})
    if forms:
        table.add_column("packed as")
    for package in (environment or container or {"packages": ()})["packages"]:
        form = [forms.get(package["name"], "")] if forms else []
        table.add_row(package["name"], package["version"], package["source"], *form)
    if environment:
        size = sum(size for size, _ in contents.environment_files.values())
        table.add_section()
        table.add_row(f"{len(contents.environment_files)} files", "", format_megabytes(size, 2))
        if pruned := environment.get("pruned"):
            left_out = format_megabytes(pruned["size"], 2)
            table.add_row(f"{pruned['files']} pruned", "", f"{left_out}, by pruned.txt")
    return table


def _forms(environment: dict[str, Any]) -> dict[str, str]:
    """Return of each package how it is packed, and why not in the zip."""
    zipped = dict.fromkeys(environment.get("zipped", ()), "zip")
    return zipped | {name: f"files: {why}" for name, why in environment.get("unzipped", {}).items()}


def _provenance(contents: Contents) -> Table:
    from rich.table import Table

    from slipway.artifact.conversion import describe_conversion

    manifest = contents.manifest
    table = Table(title="provenance", title_justify="left", show_header=False)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    table.add_row("built by", manifest.builder)
    if manifest.environment:
        for key in ("interpreter", "platform", "layout", "path"):
            table.add_row(key, str(manifest.environment[key]))
        for key in ("lock", "sha256"):
            table.add_row(f"environment {key}", str(manifest.environment[key])[:DIGITS])
    if manifest.container:
        table.add_row("entry", " ".join(manifest.container["entry"]))
        table.add_row("lock of the packages", str(manifest.container["lock"])[:DIGITS])
    if manifest.conversion:
        for key, text in describe_conversion(manifest.conversion):
            table.add_row(key, text[:DIGITS] if key in SHORTENED else text)
    for name, weights in sorted(manifest.weights.items()):
        table.add_row(name, f"md5 {weights['md5'][:DIGITS]}")
    for name, digest in sorted(manifest.sources.items()):
        table.add_row(name, f"sha256 {digest[:DIGITS]}")
    return table


def _in_order(contents: Contents) -> list[str]:
    """Return the names of the models, the served one first."""
    return sorted(contents.configs, key=lambda model: (model != contents.manifest.serves, model))


def _own_size(contents: Contents, model: str) -> int:
    environment = contents.environment_files
    return sum(
        size
        for name, (size, _) in contents.files.items()
        if name.startswith(f"{model}/") and name not in environment
    )


def _as_json(contents: Contents) -> dict[str, object]:
    return {
        "size": contents.size,
        "sha256": contents.sha256,
        "manifest": contents.manifest.values(),
        "configs": dict(contents.configs),
        "files": {name: {"size": size, "sha256": d} for name, (size, d) in contents.files.items()},
    }
