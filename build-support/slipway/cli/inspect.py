"""``slipway inspect``."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from slipway import config
from slipway.artifact import contents
from slipway.artifact.contents import Contents


@click.command()
@click.argument("artifact", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Everything, as one JSON object.")
def inspect(artifact: Path, as_json: bool) -> None:
    """Print what is in ARTIFACT: models, signatures, sizes, packages, provenance.

    Example: slipway inspect dist/screen_detection_1.0.0.tar.gz
    """
    read = contents.read(artifact)
    if as_json:
        click.echo(json.dumps(_as_json(read), indent=1, sort_keys=True))
        return
    console = Console(highlight=False)
    console.print(
        f"[bold]{read.manifest.name} {read.manifest.version}[/]  serves {read.manifest.serves}"
    )
    console.print(f"{read.size / 1e6:.1f} MB, {len(read.files)} files, sha256 {read.sha256}\n")
    for table in (_models(read), _packages(read), _provenance(read)):
        console.print(table)


def _models(read: Contents) -> Table:
    table = Table("model", "backend", "batch", "inputs", "outputs", "size", title="models")
    for name in sorted(read.configs, key=lambda model: (model != read.manifest.serves, model)):
        parsed = read.config(name)
        table.add_row(
            name,
            parsed.backend or parsed.platform,
            str(parsed.max_batch_size),
            "\n".join(map(_tensor, parsed.input)),
            "\n".join(map(_tensor, parsed.output)),
            _megabytes(_own_size(read, name)),
        )
    return table


def _packages(read: Contents) -> Table:
    made = read.manifest.environment
    table = Table("package", "version", "source", title="execution environment")
    for package in made["packages"] if made else ():
        table.add_row(package["name"], package["version"], package["source"])
    if made:
        size = sum(size for size, _ in read.environment_files.values())
        table.add_section()
        table.add_row(f"{len(read.environment_files)} files", "", _megabytes(size))
    return table


def _provenance(read: Contents) -> Table:
    made = read.manifest
    table = Table("what", "value", title="provenance", show_header=False)
    table.add_row("built by", made.builder)
    if made.environment:
        for key in ("interpreter", "platform", "layout", "path", "lock", "sha256"):
            table.add_row(f"environment {key}", str(made.environment[key]))
    for name, weights in sorted(made.weights.items()):
        table.add_row(name, f"md5 {weights['md5']}")
    for name, digest in sorted(made.sources.items()):
        table.add_row(name, f"sha256 {digest}")
    return table


def _tensor(tensor: config.ModelConfig) -> str:
    dims = ", ".join(str(dim) for dim in tensor.dims)
    return f"{tensor.name} {config.dtype_name(tensor.data_type)} \\[{dims}]"


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
