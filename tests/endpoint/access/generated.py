"""Identity policies and requests by chance, that two evaluators are asked about.

``python -m tests.endpoint.access.generated FILE`` writes them. The verdicts of another one,
``@cloud-copilot/iam-simulate`` on npm, are in ``simulated.json``; ``simulate.mjs`` asked it.
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path
from typing import Any

ACTION = "sagemaker:InvokeEndpoint"
ARN = "arn:aws:sagemaker:us-east-1:000000000000:endpoint/slipway-staging"
MODELS = ["screen_1.tar.gz", "screen_2.tar.gz", "adder_1-0-0.tar.gz", "a", "Screen_1.tar.gz"]
ACTIONS = [
    "sagemaker:InvokeEndpoint", "sagemaker:*", "*", "SageMaker:invokeendpoint", "sagemaker:Invoke*",
    "sagemaker:InvokeEndpoint?", "s3:*", "sagemaker:Describe*", "sagemaker:?nvokeEndpoint",
]  # fmt: skip
RESOURCES = [
    ARN, "*", "arn:aws:sagemaker:*:*:endpoint/*", "arn:aws:sagemaker:*:*:endpoint/slipway-*",
    "arn:aws:sagemaker:us-east-1:000000000000:endpoint/other", "arn:aws:sagemaker:us-east-1:*",
    "arn:aws:sagemaker:us-east-1:000000000000:endpoint/slipway-stagin?",
    "arn:aws:sagemaker:eu-west-1:000000000000:endpoint/*",
    "arn:aws:sagemaker:us-east-1:000000000000:endpoint/${aws:username}",
    "arn:aws:sagemaker:us-east-1:000000000000:endpoint/${aws:PrincipalTag/team, 'slipway-staging'}",
]  # fmt: skip
VALUES: dict[str, list[str]] = {
    "sagemaker:TargetModel": [*MODELS, "screen_*", "*", "*.tar.gz", "?", "${*}", "screen_?.*",
        "${aws:username}", "${aws:username, 'a'}"],
    "aws:SourceIp": ["192.0.2.0/24", "192.0.2.7/32", "198.51.100.0/24", "192.0.2.7"],
    "aws:SecureTransport": ["true", "false"],
    "aws:CurrentTime": ["2026-11-30T00:00:00Z", "2026-12-02T00:00:00Z", "2026-12-01T12:00:00Z"],
    "aws:EpochTime": ["1796083200", "1796169600", "1700000000"],
    "aws:TagKeys": ["team", "cost", "te*", "*"],
    "aws:PrincipalArn": [
        "arn:aws:iam::000000000000:role/*", "arn:aws:iam::*:role/Invoker",
        "arn:aws:iam::000000000000:role/Other", "arn:aws:iam::000000000000:role/Invoker",
    ],
    "aws:username": ["alice", "slipway-staging", "Alice", "${aws:PrincipalTag/who}"],
}  # fmt: skip
OPERATORS: dict[str, list[str]] = {
    "sagemaker:TargetModel": [
        "StringLike", "StringEquals", "StringNotLike", "StringNotEquals", "StringEqualsIgnoreCase",
        "StringNotEqualsIgnoreCase", "Null", "StringLikeIfExists", "StringNotEqualsIfExists",
    ],
    "aws:SourceIp": ["IpAddress", "NotIpAddress", "IpAddressIfExists"],
    "aws:SecureTransport": ["Bool", "BoolIfExists"],
    "aws:CurrentTime": ["DateGreaterThan", "DateLessThanEquals", "DateEquals", "DateNotEquals"],
    "aws:EpochTime": ["NumericLessThan", "NumericGreaterThanEquals", "NumericEquals"],
    "aws:TagKeys": [
        "ForAllValues:StringEquals", "ForAnyValue:StringEquals", "ForAnyValue:StringLike",
        "ForAllValues:StringLike", "ForAnyValue:StringNotEquals", "ForAllValues:StringNotLike",
    ],
    "aws:PrincipalArn": ["ArnLike", "ArnEquals", "ArnNotLike", "ArnNotEquals", "ArnLikeIfExists"],
    "aws:username": ["StringEquals", "StringNotEquals", "StringEqualsIfExists", "Null"],
}  # fmt: skip
REQUESTED: dict[str, list[Any]] = {
    "sagemaker:TargetModel": [None, *MODELS],
    "aws:SourceIp": ["192.0.2.7", "198.51.100.1"],
    "aws:SecureTransport": ["true", "false"],
    "aws:CurrentTime": ["2026-12-01T12:00:00Z", "2026-11-01T00:00:00Z"],
    "aws:EpochTime": ["1796083200", "1790000000"],
    "aws:TagKeys": [None, ["team"], ["team", "cost"], ["other"]],
    "aws:PrincipalArn": ["arn:aws:iam::000000000000:role/Invoker"],
    "aws:username": [None, "alice", "slipway-staging"],
}


def cases(count: int, seed: int = 14) -> list[dict[str, Any]]:
    """Return ``count`` policies, each with a request: the values of its condition keys."""
    chance = random.Random(seed)
    return [_case(chance) for _ in range(count)]


def _case(chance: random.Random) -> dict[str, Any]:
    statements = [_statement(chance) for _ in range(chance.choice((1, 1, 2, 3)))]
    chosen = {key: chance.choice(values) for key, values in REQUESTED.items()}
    return {
        "policy": {"Version": "2012-10-17", "Statement": statements},
        "context": {key: value for key, value in chosen.items() if value is not None},
    }


def _statement(chance: random.Random) -> dict[str, Any]:
    denies, others = chance.random() < 0.3, chance.random() < 0.1
    some = chance.sample(ACTIONS, chance.choice((1, 2)))
    resources = chance.sample(RESOURCES, chance.choice((1, 2)))
    statement: dict[str, Any] = {
        "Effect": "Deny" if denies else "Allow",
        ("NotAction" if others else "Action"): some if len(some) > 1 else some[0],
        ("NotResource" if chance.random() < 0.1 else "Resource"): resources,
    }
    conditions: dict[str, dict[str, list[str]]] = {}
    for key in chance.sample(list(OPERATORS), chance.choice((0, 1, 1, 2))):
        operator = chance.choice(OPERATORS[key])
        values = chance.sample(VALUES[key], chance.choice((1, 1, 2)))
        values = [chance.choice(("true", "false"))] if operator == "Null" else values
        conditions.setdefault(operator, {})[key] = values
    return statement | ({"Condition": conditions} if conditions else {})


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(cases(int(sys.argv[2]))), encoding="utf-8")
