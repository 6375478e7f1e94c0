"""Register a release in SageMaker's model registry, for the commands that release."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from slipway.settings import Settings
    from slipway.settings.release import StageName

ENVIRONMENTS = ("ci", "infra")  # the table of AWS's images is there


@dataclass(frozen=True)
class RegistrationResult:
    """The package's ARN, or what went wrong; neither if no group is configured."""

    arn: str | None = None
    problem: str | None = None


def register_release(
    settings: Settings, stage: StageName, name: str, target: str
) -> RegistrationResult:
    """Register the release ``target`` of ``name``, and say so on standard error.

    A failure does not undo the release, which is in its store.
    """
    if settings.training.model_package_group is None:
        return RegistrationResult()
    from slipway.catalog.catalog import Catalog
    from slipway.errors import SlipwayError
    from slipway.infra.images import load_images
    from slipway.release.registry.register import Registry
    from slipway.store.open import open_stage

    try:
        record = Catalog(open_stage(settings, stage)).record(name, target)
        registry = Registry(settings)
        table = load_images(settings.root.joinpath(*ENVIRONMENTS))
        image = table.uri(settings.triton_release, registry.region, "cpu")
        registered = registry.register(record, stage, image)
    except SlipwayError as error:
        click.echo(
            f"warning: {target} is released, and not registered in SageMaker: {error}", err=True
        )
        return RegistrationResult(problem=str(error))
    state = "registered" if registered.changed else "registered already"
    click.echo(f"note: {state}: {registered.arn}", err=True)
    return RegistrationResult(arn=registered.arn)
