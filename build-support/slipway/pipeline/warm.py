"""Let an endpoint load models before anybody asks for them."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from slipway.client import Endpoint, Model, ModelError
from slipway.errors import SlipwayError
from slipway.model.container_folder import is_container
from slipway.model.interface import blank_request
from slipway.settings import EndpointSettings
from slipway.testing import golden

# of requests that go to instances at random: the share of tries in which all were reached
CONFIDENCE = 0.99


@dataclass(frozen=True)
class Warmed:
    """One target model. ``was_loaded`` is ``None`` where the endpoint does not say so; ``first_s``
    and ``again_s`` are the seconds of a first request and of another. ``note`` is what the model
    said against the request, which loads it nevertheless; ``error`` is why it is not loaded."""

    name: str
    target: str
    was_loaded: bool | None = None
    first_s: float | None = None
    again_s: float | None = None
    note: str | None = None
    error: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self)


def warm_model(endpoint: Endpoint, folder: Path) -> list[Warmed]:
    """Ask every target model of a name's alias, its shadow included, with the first golden case of
    ``folder`` (``models/<name>``), or with zeros.

    SageMaker has no call that only loads a model. A request that the model refuses loads it, too.

    Raises:
        SlipwayError: the name has no alias, or is a container's, which is always loaded.
    """
    if is_container(folder):
        raise SlipwayError(
            f"{folder.name} has a container of its own, which is never unloaded",
            fix="name models of the multi-model endpoint only",
        )
    alias = endpoint.catalog.alias(folder.name)
    return [
        _warm(endpoint.model(folder.name, target=each), folder, each) for each in alias.all_targets
    ]


def _warm(model: Model, folder: Path, target: str) -> Warmed:
    try:
        inputs, parameters = _request(model, folder)
        first_s, was_loaded, note = _ask(model, inputs, parameters)
        again_s, _, _ = _ask(model, inputs, parameters)
    except SlipwayError as error:
        return Warmed(folder.name, target, error=str(error))
    return Warmed(folder.name, target, was_loaded, first_s, again_s, note)


def _request(model: Model, folder: Path) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    for case in golden.cases(folder):
        if golden.expected_error(case) is None:
            return golden.inputs(case), golden.parameters(case)
    return blank_request(model.interface()), {}


def _ask(
    model: Model, inputs: Mapping[str, Any], parameters: Mapping[str, Any]
) -> tuple[float, bool | None, str | None]:
    """Return the seconds of a request, whether the model was loaded, and what it objects."""
    began = time.perf_counter()
    was_loaded, note = None, None
    try:
        was_loaded = model.ask(inputs, parameters=parameters).was_loaded
    except ModelError as error:
        note = error.message
    return time.perf_counter() - began, was_loaded, note


def count_instances(entry: EndpointSettings) -> int | None:
    """Return how many instances an endpoint in AWS has, ``None`` where that may not be asked."""
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        session = boto3.session.Session(profile_name=entry.profile)
        client = session.client("sagemaker", region_name=entry.region)
        described = client.describe_endpoint(EndpointName=str(entry.endpoint_name))
        variants = described.get("ProductionVariants", [])
        return sum(each.get("CurrentInstanceCount", 0) for each in variants) or None
    except (BotoCoreError, ClientError, ValueError):
        return None


def requests_to_reach(instances: int) -> int:
    """Return how many requests reach every instance with 99 %, if each goes to one at random.

    Of ``n`` instances, all but one in ``n (1 - 1/n)^k`` are reached by ``k`` requests (the union
    bound of the coupon collector's problem). SageMaker does not choose at random: it prefers an
    instance that has the model.
    """
    if instances == 1:
        return 1
    return math.ceil(math.log((1 - CONFIDENCE) / instances) / math.log(1 - 1 / instances))
