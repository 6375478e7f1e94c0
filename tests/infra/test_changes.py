"""Change sets as CloudFormation describes them (API reference, DescribeChangeSet)."""

from __future__ import annotations

from typing import Any

from slipway.infra.changes import PropertyChange, parse_changes


def change(action: str, **more: Any) -> dict[str, Any]:
    resource = {"LogicalResourceId": "Thing", "ResourceType": "AWS::X::Y", "Action": action}
    return {"Type": "Resource", "ResourceChange": resource | more}


def test_a_replacement_is_named_with_the_property_that_forces_it() -> None:
    details = [
        {
            "Target": {
                "Attribute": "Properties",
                "Name": "ProductionVariants",
                "Path": "/Properties/ProductionVariants/0/InstanceType",
                "RequiresRecreation": "Always",
                "BeforeValue": "ml.m5.xlarge",
                "AfterValue": "ml.g4dn.xlarge",
            },
            "Evaluation": "Static",
            "ChangeSource": "DirectModification",
        },
        {
            "Target": {
                "Attribute": "Properties",
                "Name": "ProductionVariants",
                "Path": "/Properties/ProductionVariants/0/InstanceType",
            },
            "Evaluation": "Dynamic",
            "ChangeSource": "ParameterReference",
            "CausingEntity": "Hardware",
        },
    ]
    changes = parse_changes([change("Modify", Replacement="True", Details=details)])
    assert changes[0].action == "replace" and changes[0].is_destructive
    assert changes[0].properties == (
        PropertyChange("ProductionVariants.0.InstanceType", "ml.m5.xlarge", "ml.g4dn.xlarge", True),
    )


def test_what_hangs_on_another_resource_may_be_replaced() -> None:
    changes = parse_changes([change("Modify", Replacement="Conditional", Details=[])])
    assert changes[0].action == "may replace" and changes[0].is_destructive


def test_a_removed_resource_that_is_retained_is_left_not_removed() -> None:
    for policy in ("Retain", "RetainExceptOnCreate"):
        assert parse_changes([change("Remove", PolicyAction=policy)])[0].action == "leave"
    assert parse_changes([change("Remove", PolicyAction="Delete")])[0].action == "remove"
    assert parse_changes([change("Remove")])[0].is_destructive


def test_older_descriptions_name_the_property_without_its_path() -> None:
    details = [
        {"Target": {"Attribute": "Properties", "Name": "Tags"}},
        {"Target": {"Attribute": "Tags"}},
    ]
    changes = parse_changes([change("Modify", Replacement="False", Details=details)])
    assert changes[0].action == "modify"
    assert [changed.name for changed in changes[0].properties] == ["Tags"]


def test_what_takes_something_away_comes_first() -> None:
    answers = [
        change("Add", LogicalResourceId="A"),
        change("Modify", LogicalResourceId="B", Replacement="False"),
        change("Remove", LogicalResourceId="C"),
        change("Modify", LogicalResourceId="D", Replacement="True"),
        {"Type": "Hook"},
    ]
    assert [parsed.resource for parsed in parse_changes(answers)] == ["C", "D", "A", "B"]
