"""Identity policies: against another evaluator, AWS's own examples, and what cannot be read."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from slipway.endpoint.access.iam.decision import Decision, decide
from slipway.endpoint.access.iam.document import parse_policy
from slipway.errors import SlipwayError
from tests.endpoint.access.generated import ACTION, ARN, cases

SIMULATED = Path(__file__).parent / "simulated.txt"
INVOKE: dict[str, Any] = {"Effect": "Allow", "Action": ACTION, "Resource": "*"}


def decided(statements: Any, context: dict[str, Any], action: str = ACTION) -> Decision:
    document = {"Version": "2012-10-17", "Statement": statements}
    values = {
        key.lower(): tuple(value) if isinstance(value, list) else (value,)
        for key, value in context.items()
    }
    return decide(parse_policy("tested", document, "here"), action, ARN, values)


def test_verdicts_are_those_of_another_evaluator() -> None:
    """6,000 policies against @cloud-copilot/iam-simulate 0.1.173, which nobody here wrote."""
    digest, *lines = SIMULATED.read_text(encoding="utf-8").split()
    generated = cases(6000)
    assert hashlib.sha256(json.dumps(generated, sort_keys=True).encode()).hexdigest() == digest
    differences: Counter[tuple[str, str]] = Counter()
    for case, said in zip(generated, "".join(lines), strict=True):
        decision = decided(case["policy"]["Statement"], case["context"])
        found = "A" if decision.allowed else "E" if decision.statement else "I"
        differences[found, said] += found != said
        if found != said:
            # a negated condition on a variable without a value: here a denial applies
            assert decision.statement and decision.statement.effect == "Deny"
            assert "${" in json.dumps(case["policy"])
    assert {pair: count for pair, count in differences.items() if count} == {
        ("E", "I"): 14,
        ("E", "A"): 1,
    }


# https://docs.aws.amazon.com/sagemaker/latest/dg/multi-model-endpoint-security.html and
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_multi-value-conditions.html,
# …/reference_policies_condition-logic-multiple-context-keys-or-values.html
DOCUMENTED: list[tuple[dict[str, Any], list[tuple[dict[str, Any], bool]]]] = [
    (INVOKE | {"Condition": {"StringLike": {"sagemaker:TargetModel": ["CompanyA/*", "common/*"]}}},
     [({"sagemaker:TargetModel": "CompanyA/model.tar.gz"}, True),
      ({"sagemaker:TargetModel": "common/a.tar.gz"}, True),
      ({"sagemaker:TargetModel": "CompanyB/model.tar.gz"}, False),
      ({}, False)]),
    (INVOKE | {"Condition": {"ForAllValues:StringEquals": {"aws:TagKeys": ["environment"]}}},
     [({"aws:TagKeys": ["environment"]}, True),
      ({"aws:TagKeys": ["environment", "cost"]}, False),
      ({}, True)]),
    (INVOKE | {"Condition": {"ForAnyValue:StringEquals": {"aws:TagKeys": ["environment", "cost"]}}},
     [({"aws:TagKeys": ["cost", "other"]}, True),
      ({"aws:TagKeys": ["other"]}, False),
      ({}, False)]),
    (INVOKE | {"Condition": {
        "StringNotEquals": {"aws:username": ["DOC-a", "DOC-b"]}, "Null": {"aws:MFA": "true"}}},
     [({"aws:username": "DOC-c"}, True),
      ({"aws:username": "DOC-a"}, False),
      ({"aws:username": "DOC-c", "aws:MFA": "1"}, False)]),
    (INVOKE | {"Condition": {"BinaryEquals": {"a:Key": "QmluYXJ5VmFsdWVJbkJhc2U2NA=="}}},
     [({"a:Key": "QmluYXJ5VmFsdWVJbkJhc2U2NA=="}, True), ({"a:Key": "QmluYXJ5"}, False)]),
    (INVOKE | {"Condition": {
        "NotIpAddress": {"aws:SourceIp": ["203.0.113.0/24", "2001:db8::/32"]}}},
     [({"aws:SourceIp": "198.51.100.3"}, True),
      ({"aws:SourceIp": "203.0.113.9"}, False),
      ({"aws:SourceIp": "2001:db8::1"}, False)]),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(DOCUMENTED)))
def test_documented_examples_have_the_documented_result(number: int) -> None:
    statement, requests = DOCUMENTED[number]
    for context, allowed in requests:
        assert decided(statement, context).allowed == allowed, context


def test_a_denial_wins_wherever_it_stands() -> None:
    denial = INVOKE | {"Effect": "Deny", "Sid": "Never"}
    for statements in ([denial, INVOKE], [INVOKE, denial]):
        decision = decided(statements, {})
        assert not decision.allowed and decision.statement is not None
        assert decision.statement.label == "tested, Never"


def test_nothing_is_allowed_by_default() -> None:
    assert not decided(INVOKE | {"Action": "sagemaker:DescribeEndpoint"}, {}).allowed


def test_a_variable_is_the_requests_value_and_never_a_wildcard() -> None:
    statement = INVOKE | {
        "Condition": {"StringLike": {"sagemaker:TargetModel": "${aws:username}/*"}}
    }
    own = {"aws:username": "alice", "sagemaker:TargetModel": "alice/a.tar.gz"}
    assert decided(statement, own).allowed
    assert not decided(statement, own | {"aws:username": "*"}).allowed
    assert not decided(statement, {"sagemaker:TargetModel": "alice/a.tar.gz"}).allowed


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"Effect": "allow"}, "Effect is 'allow'"),
        ({"Principal": "*"}, "Principal, which no identity's policy has"),
        ({"Conditions": {}}, "Conditions, which no identity's policy has"),
        ({"NotAction": "s3:*"}, "one of Action and NotAction"),
        ({"Action": []}, "Action is empty"),
        ({"Action": "InvokeEndpoint"}, "is no action"),
        ({"Resource": "endpoint/a"}, "is no ARN"),
        ({"Condition": {"StringLikes": {"a:b": "c"}}}, "StringLikes is no condition operator"),
        ({"Condition": {"ForSomeValues:StringLike": {"a:b": "c"}}}, "is no condition operator"),
        ({"Condition": {"StringLike": "a:b"}}, "and no object"),
        ({"Condition": {"NumericEquals": {"a:b": "many"}}}, "cannot take 'many'"),
        ({"Condition": {"IpAddress": {"a:b": "300.0.0.0/8"}}}, "cannot take '300.0.0.0/8'"),
        ({"Condition": {"Bool": {"a:b": "yes"}}}, "cannot take 'yes'"),
        ({"Condition": {"NullIfExists": {"a:b": "true"}}}, 'takes "true" or "false"'),
        ({"Condition": {"StringLike": {"a:b": {"c": "d"}}}}, "and no text"),
    ],
)
def test_what_is_not_understood_is_an_error(change: dict[str, Any], said: str) -> None:
    with pytest.raises(SlipwayError, match="policy tested") as caught:
        decided({**INVOKE, **change}, {})
    assert said in caught.value.what


@pytest.mark.parametrize(
    "document",
    [None, [], {}, {"Statement": []}, {"Statement": "x"}, {"Statement": [1]},
     {"Version": "2013-01-01", "Statement": INVOKE},
     {"Statement": INVOKE, "Statements": []},
     {"Version": "2008-10-17", "Statement": INVOKE | {"Resource": "arn:aws:s3:::${aws:username}"}}],
)  # fmt: skip
def test_a_document_that_is_none_is_an_error(document: Any) -> None:
    with pytest.raises(SlipwayError, match="policy tested"):
        parse_policy("tested", document, "here")


@pytest.mark.parametrize(
    ("pattern", "named"),
    [
        ("arn:aws:sagemaker:us-*-1:000000000000:endpoint/slipway-staging", True),
        # a star stays in its segment, unless it is the segment's last character
        ("arn:aws:*-1:000000000000:endpoint/slipway-staging", False),
        ("arn:aws:sagemaker:*", True),
        ("arn:aws:sagemaker:us-east-1:000000000000:endpoint/Slipway-staging", False),
    ],
)
def test_a_resource_is_matched_by_segments(pattern: str, named: bool) -> None:
    assert decided(INVOKE | {"Resource": pattern}, {}).allowed == named
