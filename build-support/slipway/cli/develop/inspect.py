"""``slipway inspect``."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from slipway.artifact.contents import Contents, read_contents
from slipway.triton import config

DIGITS = 12  # of a digest, for people; --json has it whole


@click.command()
@click.argument("artifact", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Everything, as one JSON object.")
def inspect(artifact: Path, as_json: bool) -> None:
    """Print what is in ARTIFACT: models, signatures, sizes, packages, provenance.

    Example: slipway inspect dist/screen_detection_1.0.0.tar.gz
    """
    read = read_contents(artifact)
    if as_json:
        click.echo(json.dumps(_as_json(read), indent=1, sort_keys=True))
        return
    console = Console(highlight=False)
    console.print(
        f"[bold]{read.manifest.name} {read.manifest.version}[/]  serves {read.manifest.serves}"
    )
    console.print(f"{read.size / 1e6:.1f} MB, {len(read.files)} files")
    console.print(f"sha256 {read.sha256}\n", soft_wrap=True)
    for table in (_models(read), _signatures(read), _packages(read), _provenance(read)):
        console.print(table)


def _models(read: Contents) -> Table:
    table = Table("model", "backend", "batch", "size", title="models", title_justify="left")
    for name in _in_order(read):
        parsed = read.config(name)
        backend = parsed.backend or parsed.platform
        size = _megabytes(_own_size(read, name))
        table.add_row(name, backend, str(parsed.max_batch_size), size)
    return table


def _signatures(read: Contents) -> Table:
    table = Table("model", "", "tensor", "type", "shape", title="signatures", title_justify="left")
    for name in _in_order(read):
        parsed = read.config(name)
        for direction, tensors in (("in", parsed.input), ("out", parsed.output)):
            for tensor in tensors:
                dims = ", ".join(str(dim) for dim in tensor.dims)
                kind = config.dtype_name(tensor.data_type)
                table.add_row(name, direction, tensor.name, kind, f"\\[{dims}]")
        table.add_section()
    return table


def _packages(read: Contents) -> Table:
    made = read.manifest.environment
    table = Table("package", "version", "source", title="environment", title_justify="left")
    for package in made["packages"] if made else ():
        table.add_row(package["name"], package["version"], package["source"])
    if made:
        size = sum(size for size, _ in read.environment_files.values())
        table.add_section()
        table.add_row(f"{len(read.environment_files)} files", "", _megabytes(size))
    return table


def _provenance(read: Contents) -> Table:
    made = read.manifest
    table = Table(title="provenance", title_justify="left", show_header=False)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    table.add_row("built by", made.builder)
    if made.environment:
        for key in ("interpreter", "platform", "layout", "path"):
            table.add_row(key, str(made.environment[key]))
        for key in ("lock", "sha256"):
            table.add_row(f"environment {key}", str(made.environment[key])[:DIGITS])
    for name, weights in sorted(made.weights.items()):
        table.add_row(name, f"md5 {weights['md5'][:DIGITS]}")
    for name, digest in sorted(made.sources.items()):
        table.add_row(name, f"sha256 {digest[:DIGITS]}")
    return table


def _in_order(read: Contents) -> list[str]:
    """The served model first."""
    return sorted(read.configs, key=lambda model: (model != read.manifest.serves, model))


def _own_size(read: Contents, model: str) -> int:
    environment = read.environment_files
    return sum(
        size
        for name, (size, _) in read.files.items()
        if name.startswith(f"{model}/") and name not in environment
    )


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.2f} MB"


def _as_json(read: Contents) -> dict[str, object]:
    return {
        "size": read.size,
        "sha256": read.sha256,
        "manifest": asdict(read.manifest),
        "configs": dict(read.configs),
        "files": {name: {"size": size, "sha256": d} for name, (size, d) in read.files.items()},
    }
