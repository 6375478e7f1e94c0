"""Answer the two operations of SageMaker's control plane that clients ask before they invoke.

They are ``DescribeEndpoint``, with its waiters, and ``ListEndpoints``, in AWS's JSON protocol 1.1.
Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeEndpoint.html and
API_ListEndpoints.html; botocore's service model has the shapes, and its waiters the errors.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from slipway.endpoint.any_endpoint import AnyEndpoint
from slipway.endpoint.failure import Failure
from slipway.endpoint.http.parameters import VARIANT

OPERATION = "X-Amz-Target"
CONTENT_TYPE = "application/x-amz-json-1.1"
PREFIX = "SageMaker."
ACCOUNT = "000000000000"
IN_SERVICE = "InService"
PAGE = 10  # endpoints in one answer of ListEndpoints, if the caller sets no MaxResults
SCOPE = re.compile(r"Credential=[^/]+/\d+/(?P<region>[a-z0-9-]+)/")
FILTERS: dict[str, Callable[[Any, Mapping[str, Any]], bool]] = {
    "CreationTimeBefore": lambda value, entry: entry["CreationTime"] < value,
    "CreationTimeAfter": lambda value, entry: entry["CreationTime"] > value,
    "LastModifiedTimeBefore": lambda value, entry: entry["LastModifiedTime"] < value,
    "LastModifiedTimeAfter": lambda value, entry: entry["LastModifiedTime"] > value,
    "NameContains": lambda value, entry: value.lower() in entry["EndpointName"].lower(),
    "StatusEquals": lambda value, entry: value == entry["EndpointStatus"],
}
ORDERS = {"Name": "EndpointName", "CreationTime": "CreationTime", "Status": "EndpointStatus"}


def answer(
    operation: str, body: bytes, authorization: str, endpoints: Mapping[str, AnyEndpoint]
) -> bytes:
    """Return the JSON that answers ``operation``, such as ``SageMaker.ListEndpoints``.

    ``authorization`` is the request's header; the caller's region in it becomes part of the ARNs.

    Raises:
        Failure: the endpoint does not exist, or the operation is another one.
    """
    try:
        request = json.loads(body or b"{}")
        if not isinstance(request, dict):
            raise ValueError("not an object")
    except (ValueError, RecursionError) as error:
        raise _failure("SerializationException", f"the body is no JSON object: {error}") from error
    scope = SCOPE.search(authorization)
    region = scope["region"] if scope else "us-east-1"
    entries = {name: _entry(endpoint, region) for name, endpoint in endpoints.items()}
    match operation.removeprefix(PREFIX):
        case "DescribeEndpoint":
            return _json(_describe(request, region, entries))
        case "ListEndpoints":
            return _json(_list(request, entries))
        case other:
            raise Failure(
                404,
                "UnknownOperationException",
                f"{other:.100}: this is one running instance, and no control plane; it answers"
                " DescribeEndpoint and ListEndpoints. Resources in AWS: slipway infra",
                __type="UnknownOperationException",
            )


def _describe(
    request: Mapping[str, Any], region: str, entries: Mapping[str, dict[str, Any]]
) -> dict[str, Any]:
    name = str(request.get("EndpointName", ""))
    if name not in entries:
        arn = _arn(region, "endpoint", name)
        # the code by which botocore's waiters know that an endpoint is deleted
        raise _failure("ValidationException", f'Could not find endpoint "{arn:.300}".')
    variant = {
        "VariantName": VARIANT,
        "CurrentWeight": 1.0,
        "DesiredWeight": 1.0,
        "CurrentInstanceCount": 1,
        "DesiredInstanceCount": 1,
    }
    return {**entries[name], "EndpointConfigName": name, "ProductionVariants": [variant]}


def _list(request: Mapping[str, Any], entries: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    try:
        chosen = [
            entry
            for entry in entries.values()
            if all(keep(request[key], entry) for key, keep in FILTERS.items() if key in request)
        ]
        order = ORDERS[request.get("SortBy", "CreationTime")]
        most = int(request.get("MaxResults", PAGE))
        start = int(request.get("NextToken", 0))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _failure("ValidationException", f"a parameter has no valid value: {error}") from error
    chosen.sort(key=lambda entry: entry["EndpointName"])
    chosen.sort(
        key=lambda entry: entry[order],
        reverse=request.get("SortOrder", "Descending") == "Descending",
    )
    page = chosen[start : start + most]
    more = {"NextToken": str(start + most)} if start + most < len(chosen) else {}
    return {"Endpoints": page, **more}


def _entry(endpoint: AnyEndpoint, region: str) -> dict[str, Any]:
    began = endpoint.observer.began
    return {
        "EndpointName": endpoint.name,
        "EndpointArn": _arn(region, "endpoint", endpoint.name),
        # a server that is replaced leaves an endpoint of AWS in service, too
        "EndpointStatus": IN_SERVICE,
        "CreationTime": began,
        "LastModifiedTime": began,
    }


def _arn(region: str, kind: str, name: str) -> str:
    return f"arn:aws:sagemaker:{region}:{ACCOUNT}:{kind}/{name}"


def _failure(type: str, message: str) -> Failure:
    return Failure(400, type, message, __type=type)


def _json(values: Mapping[str, Any]) -> bytes:
    return json.dumps(values).encode()
