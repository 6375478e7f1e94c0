"""``slipway image``."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from slipway.cli.building import build_artifact
from slipway.cli.models import ModelName, resolve_folder
from slipway.cli.options import json_option
from slipway.cli.progress import working

if TYPE_CHECKING:
    from slipway.image.image import Image
    from slipway.image.models import ImageModel
    from slipway.settings import Settings

IMAGES = "dist/images"


@click.command()
@click.argument("names", nargs=-1, required=True, type=ModelName(), metavar="NAME[@RELEASE]...")
@click.option(
    "--base",
    metavar="IMAGE",
    help="What the models' layers are put on: oci:PATH[:NAME], or docker://HOST/NAME:TAG; by"
    " default NVIDIA's image of [triton] release.",
)
@click.option(
    "--output",
    metavar="PLACE",
    help="oci:PATH[:NAME], docker:FILE for docker load, or registry:HOST/NAME:TAG; by default"
    f" oci:{IMAGES}.",
)
@click.option(
    "--base-environment",
    is_flag=True,
    help="Put the models' execution environments on the base, and no models: an image for a"
    " multi-model endpoint.",
)
@click.option(
    "--cpu",
    is_flag=True,
    help="Where a config asks for a GPU, use the CPU, as tests without a GPU do.",
)
@click.option(
    "--authfile",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Credentials of registries, as skopeo login writes them.",
)
@json_option()
def image(
    names: tuple[str, ...],
    base: str | None,
    output: str | None,
    base_environment: bool,
    cpu: bool,
    authfile: Path | None,
    as_json: bool,
) -> None:
    """Make a container image of models, without an engine.

    It serves them by Triton's HTTP and gRPC, and as SageMaker asks a container. NAME is built from
    its folder. RELEASE is staging, production, a version or a part of a target model's key. Models
    of one environment share a layer.

    \b
    Example: slipway image screen_detection@production
      slipway image churn fares --output registry:r.example.com/tabular:1.0.0
    """
    import tempfile

    from slipway import settings
    from slipway.catalog.origin import current_origin
    from slipway.image import base as bases
    from slipway.image.image import make_base, make_image
    from slipway.image.output import place_for, send
    from slipway.image.references import parse_base, parse_output
    from slipway.image.suitable import describe_unknown
    from slipway.server.source import REPOSITORY

    configured = settings.load(Path.cwd())
    to = parse_output(output or f"oci:{configured.root / IMAGES}")
    wanted = parse_base(base or f"docker://{REPOSITORY}:{configured.triton_release}-py3")
    with working("reading the base"):
        chosen = bases.open_base(wanted, configured, authfile)
    with tempfile.TemporaryDirectory(prefix="slipway-image-") as fetched:
        models = [_model(name, configured, Path(fetched)) for name in names]
        if not base_environment:
            models = [_for_processor(model, cpu) for model in models]
        title = _title(models, base_environment)
        make = make_base if base_environment else make_image
        with place_for(to, title) as place, working(f"writing {place.name}"):
            made = make(
                place.layout,
                place.name,
                models,
                chosen,
                configured,
                current_origin(configured.root),
                os.environ.get("CI_PROJECT_URL"),
            )
            written = send(made, to, authfile)
    note = describe_unknown(chosen)
    if note is not None:
        click.echo(f"note: {note}", err=True)
    if as_json:
        click.echo(json.dumps(_values(made, written)))
    else:
        _print(made, written, base_environment)


def _model(name: str, configured: Settings, folder: Path) -> ImageModel:
    from slipway.image.models import built_model, released_model

    model, at, release = name.partition("@")
    if at:
        with working(f"fetching {name}"):
            return released_model(model, release, configured, folder)
    path = resolve_folder(model, Path.cwd())
    return built_model(path, build_artifact(path, configured, Path("dist")), configured)


def _for_processor(model: ImageModel, cpu: bool) -> ImageModel:
    """Return the model as it is to be served, and say what differs or what it needs."""
    from slipway.image.processors import for_cpu, needs_gpu

    if cpu:
        model, changes = for_cpu(model)
        for change in changes:
            click.echo(f"note: in the image, {change}", err=True)
        return model
    if names := needs_gpu(model):
        click.echo(
            f"note: {', '.join(names)} asks for a GPU: run the image with --gpus all,"
            " or build it with --cpu",
            err=True,
        )
    return model


def _title(models: Sequence[ImageModel], base_environment: bool) -> str:
    """Return the name that an image gets where no name was given."""
    if base_environment:
        return "base-environment"
    first = models[0]
    more = f"-and-{len(models) - 1}-more" if len(models) > 1 else ""
    return re.sub(r"[^A-Za-z0-9._-]", "_", f"{first.name}{more}-{first.manifest.version}")


def _values(made: Image, written: str) -> dict[str, object]:
    return {
        "image": written,
        "digest": made.digest,
        "size": made.size,
        "environments": list(made.environments),
        "attached": made.attached,
        "layers": [
            {"digest": layer.digest, "size": layer.size, "purpose": layer.purpose}
            for layer in made.layers
        ],
    }


def _print(made: Image, written: str, base_environment: bool) -> None:
    from slipway.units import format_bytes

    click.echo(f"{written}  {format_bytes(made.size)}\n{made.digest}")
    for layer in made.layers:
        click.echo(f"  {format_bytes(layer.size):>9}  {layer.purpose}")
    click.echo(f"  {made.attached} documents attached: {made.index}")
    if base_environment:
        digests = ", ".join(f'"{digest}"' for digest in made.environments)
        click.echo(
            "once every endpoint of a stage has this image, in slipway.toml:\n"
            f"  [release.staging]  # and [release.production]\n  base_environments = [{digests}]"
        )
