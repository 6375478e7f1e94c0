"""Which containers an endpoint has: its models' releases, as they are when it is created."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from slipway.catalog import keys
from slipway.catalog.catalog import Catalog
from slipway.errors import SlipwayError
from slipway.settings import EndpointSettings

CONTAINER = "X-Amzn-SageMaker-Target-Container-Hostname"  # of a request
MOST_CONTAINERS = 15  # of a model in SageMaker (CreateModel, Containers)


@dataclass(frozen=True)
class ContainerDefinition:
    """A container: the release ``target`` of the model ``name``. Callers name it by ``hostname``
    on an endpoint of the mode direct."""

    hostname: str
    name: str
    target: str


def define_containers(entry: EndpointSettings, catalog: Catalog) -> list[ContainerDefinition]:
    """Return the containers of the endpoint ``entry``, in their order.

    In the mode direct, each model has one for each release that its alias names, and for its newest
    one: what is published is deployed before the alias leads to it. In serial, a model has the one
    container of the release that its alias names.

    Raises:
        SlipwayError: a model has no release or alias, or there are more containers than SageMaker
            allows, or, in the mode direct, a single one (Developer Guide, "Create a multi-container
            endpoint": "include more than one container").
    """
    containers = [
        ContainerDefinition(keys.hostname(target), name, target)
        for name in entry.containers
        for target in _targets(entry, catalog, name)
    ]
    if len(containers) > MOST_CONTAINERS:
        raise SlipwayError(
            f"{len(containers)} containers, and SageMaker allows {MOST_CONTAINERS}",
            where=f"slipway.toml: [endpoint.{entry.name}]",
            fix="give some of its models another endpoint, or end splits: slipway alias NAME"
            " RELEASE",
        )
    if entry.mode == "direct" and len(containers) < 2:
        raise SlipwayError(
            f"{containers[0].hostname} is its only container, and SageMaker invokes directly only"
            " where there are several",
            where=f"slipway.toml: [endpoint.{entry.name}]",
            fix='mode = "serial" serves a single one; or add a model, or publish another release',
        )
    hostnames = [container.hostname for container in containers]
    for hostname in hostnames:
        if hostnames.count(hostname) > 1:
            raise SlipwayError(
                f"two containers have the host name {hostname}",
                where=f"slipway.toml: [endpoint.{entry.name}]",
                fix="rename one of the models: host names have hyphens only",
            )
    return containers


def _targets(entry: EndpointSettings, catalog: Catalog, name: str) -> Iterator[str]:
    alias = catalog.alias(name)
    if entry.mode == "serial":
        yield alias.target
        return
    newest = catalog.releases(name)[0].target
    yield from dict.fromkeys((*alias.all_targets, newest))
