"""Change sets and events that moto does not have: CloudFormation's answers, written by hand and
checked by botocore against the service's model."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.stub import ANY, Stubber
from mypy_boto3_cloudformation import CloudFormationClient

from slipway.errors import SlipwayError
from slipway.infra import deploy, outputs, plan, state
from slipway.infra.changes import ResourceChange
from slipway.infra.environment import Environment
from slipway.infra.events import StackEvent
from slipway.infra.plan import DeploymentPlan
from tests.infra.conftest import Repository

ARN = "arn:aws:cloudformation:us-east-1:123456789012"
STACK_ID = f"{ARN}:stack/slipway-staging/1"
CHANGE_SET = f"{ARN}:changeSet/slipway-1/2"
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def answers(stub: CloudFormationClient) -> Iterator[Stubber]:
    with Stubber(stub) as answers:
        yield answers
        answers.assert_no_pending_responses()


def described(status: str, **more: Any) -> dict[str, Any]:
    stack = {
        "StackName": "slipway-staging",
        "StackId": STACK_ID,
        "StackStatus": status,
        "CreationTime": NOW,
    }
    return {"Stacks": [stack | more]}


def events(*said: tuple[str, str, str, str]) -> dict[str, Any]:
    """Newest first, as CloudFormation answers: logical id, type, status, reason."""
    return {
        "StackEvents": [
            {
                "StackId": STACK_ID,
                "StackName": "slipway-staging",
                "EventId": f"{resource}-{status}",
                "Timestamp": NOW,
                "LogicalResourceId": resource,
                "ResourceType": kind,
                "ResourceStatus": status,
            }
            | ({"ResourceStatusReason": reason} if reason else {})
            for resource, kind, status, reason in reversed(said)
        ]
    }


def planned(environment: Environment) -> DeploymentPlan:
    there = state.StackState(environment.stack, "UPDATE_COMPLETE", None, {}, {}, True)
    return DeploymentPlan(
        environment, there, CHANGE_SET, (ResourceChange("add", "X", "AWS::X::Y"),)
    )


BEGUN = ("slipway-staging", "AWS::CloudFormation::Stack", "UPDATE_IN_PROGRESS", "User Initiated")


def test_the_first_resource_that_failed_is_named_and_not_those_it_stopped(
    stub: CloudFormationClient, answers: Stubber, repository: Repository
) -> None:
    old = ("Topic", "AWS::SNS::Topic", "CREATE_FAILED", "of last year")
    failed = [
        ("Dashboard", "AWS::CloudWatch::Dashboard", "UPDATE_FAILED", "Resource update cancelled"),
        ("Endpoint", "AWS::SageMaker::Endpoint", "UPDATE_FAILED", "AutoRollback: alarm x-5xx"),
        (*BEGUN[:2], "UPDATE_ROLLBACK_IN_PROGRESS", "The following failed: [Endpoint]"),
    ]
    answers.add_response("describe_stack_events", events(old))
    answers.add_response("execute_change_set", {}, {"ChangeSetName": CHANGE_SET, "StackName": ANY})
    answers.add_response("describe_stacks", described("UPDATE_IN_PROGRESS"))
    answers.add_response("describe_stack_events", events(old, BEGUN))
    answers.add_response("describe_stacks", described("UPDATE_ROLLBACK_IN_PROGRESS"))
    answers.add_response("describe_stack_events", events(old, BEGUN, *failed))
    answers.add_response("describe_stacks", described("UPDATE_ROLLBACK_COMPLETE"))
    answers.add_response("describe_stack_events", events(old, BEGUN, *failed))
    answers.add_response("describe_stacks", described("UPDATE_ROLLBACK_COMPLETE"))
    shown: list[StackEvent] = []
    with pytest.raises(SlipwayError) as refused:
        deploy.execute(stub, planned(repository.environment("staging")), shown.append, poll=0)
    assert "Endpoint (AWS::SageMaker::Endpoint): AutoRollback: alarm x-5xx" in str(refused.value)
    assert "the stack is unchanged" in str(refused.value)
    assert [event.resource for event in shown] == [
        "slipway-staging",
        "Dashboard",
        "Endpoint",
        "slipway-staging",
    ]


def test_a_stack_is_protected_from_deletion_once_it_stands(
    stub: CloudFormationClient, answers: Stubber, repository: Repository
) -> None:
    answers.add_response("describe_stack_events", events())
    answers.add_response("execute_change_set", {})
    answers.add_response("describe_stacks", described("CREATE_COMPLETE"))
    answers.add_response("describe_stack_events", events(BEGUN))
    answers.add_response("describe_stacks", described("CREATE_COMPLETE"))
    answers.add_response(
        "update_termination_protection",
        {"StackId": STACK_ID},
        {"StackName": ANY, "EnableTerminationProtection": True},
    )
    answers.add_response(
        "describe_stacks", described("CREATE_COMPLETE", EnableTerminationProtection=True)
    )
    made = deploy.execute(
        stub, planned(repository.environment("staging")), lambda event: None, poll=0
    )
    assert made.protected


def test_a_change_set_is_read_page_by_page_and_removed(
    stub: CloudFormationClient, answers: Stubber, repository: Repository
) -> None:
    def page(resource: str) -> dict[str, Any]:
        change = {"Action": "Add", "LogicalResourceId": resource, "ResourceType": "AWS::X::Y"}
        return {
            "Status": "CREATE_COMPLETE",
            "Changes": [{"Type": "Resource", "ResourceChange": change}],
        }

    answers.add_response("describe_stacks", described("UPDATE_COMPLETE"))
    answers.add_response("create_change_set", {"Id": CHANGE_SET})
    answers.add_response("describe_change_set", {"Status": "CREATE_IN_PROGRESS"})
    answers.add_response("describe_change_set", page("A") | {"NextToken": "more"})
    answers.add_response(
        "describe_change_set",
        page("B"),
        {"ChangeSetName": CHANGE_SET, "IncludePropertyValues": True, "NextToken": "more"},
    )
    answers.add_response("delete_change_set", {}, {"ChangeSetName": CHANGE_SET})
    with plan.plan_changes(stub, repository.environment("staging"), poll=0) as made:
        assert [change.resource for change in made.changes] == ["A", "B"]


@pytest.mark.parametrize(
    "reason",
    [
        "The submitted information didn't contain changes. Submit different information …",
        "No updates are to be performed.",
    ],
)
def test_a_change_set_without_changes_is_none(
    stub: CloudFormationClient, answers: Stubber, repository: Repository, reason: str
) -> None:
    answers.add_response("describe_stacks", described("UPDATE_COMPLETE"))
    answers.add_response("create_change_set", {"Id": CHANGE_SET})
    answers.add_response("describe_change_set", {"Status": "FAILED", "StatusReason": reason})
    answers.add_response("delete_change_set", {})
    with plan.plan_changes(stub, repository.environment("staging"), poll=0) as made:
        assert made.changes == ()


def test_a_change_set_that_cannot_be_made_says_why_and_is_removed(
    stub: CloudFormationClient, answers: Stubber, repository: Repository
) -> None:
    answers.add_response("describe_stacks", described("UPDATE_COMPLETE"))
    answers.add_response("create_change_set", {"Id": CHANGE_SET})
    answers.add_response("describe_change_set", {"Status": "FAILED", "StatusReason": "Circular"})
    answers.add_response("delete_change_set", {})
    with (
        pytest.raises(SlipwayError, match="Circular"),
        plan.plan_changes(stub, repository.environment("staging"), poll=0),
    ):
        raise AssertionError("there is no plan")


def test_what_a_deleted_stack_left_can_be_taken_in_again(
    stub: CloudFormationClient, answers: Stubber, repository: Repository
) -> None:
    change = {"Action": "Import", "LogicalResourceId": "B", "ResourceType": "AWS::S3::Bucket"}
    answers.add_client_error(
        "describe_stacks", "ValidationError", "Stack with id slipway-staging does not exist"
    )
    asked = dict.fromkeys(
        ("StackName", "ChangeSetName", "TemplateBody", "Parameters", "Tags")
        + ("Description", "Capabilities"),
        ANY,
    ) | {"ChangeSetType": "CREATE", "ImportExistingResources": True}
    answers.add_response("create_change_set", {"Id": CHANGE_SET}, asked)
    answers.add_response(
        "describe_change_set",
        {"Status": "CREATE_COMPLETE", "Changes": [{"Type": "Resource", "ResourceChange": change}]},
    )
    answers.add_response("describe_stacks", described("REVIEW_IN_PROGRESS"))
    answers.add_response("delete_change_set", {})
    answers.add_response("delete_stack", {})
    with plan.plan_changes(stub, repository.environment("staging"), adopt=True, poll=0) as made:
        assert made.creates and made.changes[0].action == "import"


def test_the_shell_of_somebody_elses_proposal_is_left_to_them(
    stub: CloudFormationClient, answers: Stubber, repository: Repository
) -> None:
    answers.add_response("describe_stacks", described("REVIEW_IN_PROGRESS"))
    answers.add_response("create_change_set", {"Id": CHANGE_SET})
    answers.add_response("describe_change_set", {"Status": "CREATE_COMPLETE", "Changes": []})
    answers.add_response("describe_stacks", described("REVIEW_IN_PROGRESS"))
    answers.add_response("delete_change_set", {})
    with plan.plan_changes(stub, repository.environment("staging"), poll=0) as made:
        assert made.creates


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("UPDATE_IN_PROGRESS", "wait until that is complete"),
        ("UPDATE_ROLLBACK_FAILED", "continue-update-rollback"),
        ("DELETE_FAILED", "delete-stack"),
        ("ROLLBACK_COMPLETE", "slipway infra deploy staging, which deletes it"),
    ],
)
def test_a_stack_that_cannot_be_changed_now_says_what_to_do(
    stub: CloudFormationClient, answers: Stubber, repository: Repository, status: str, said: str
) -> None:
    answers.add_response("describe_stacks", described(status, StackStatusReason="a reason"))
    with (
        pytest.raises(SlipwayError) as refused,
        plan.plan_changes(stub, repository.environment("staging"), poll=0),
    ):
        raise AssertionError("there is no plan")
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("AccessDenied", "use a role"),
        ("ExpiredToken", "get-caller-identity"),
        ("ValidationError", "correct the template or the parameters"),
    ],
)
def test_what_aws_refuses_has_a_way_out(
    stub: CloudFormationClient, answers: Stubber, repository: Repository, code: str, said: str
) -> None:
    answers.add_client_error("describe_stacks", code, "refused")
    with pytest.raises(SlipwayError) as refused:
        outputs.describe_deployed_stack(stub, repository.environment("staging"))
    assert said in str(refused.value.fix)


def test_the_remains_that_cannot_be_deleted_are_named(
    stub: CloudFormationClient, answers: Stubber
) -> None:
    stack = "AWS::CloudFormation::Stack"
    full = ("ReleaseBucket", "AWS::S3::Bucket", "DELETE_FAILED", "The bucket is not empty")
    answers.add_response("describe_stacks", described("ROLLBACK_FAILED"))
    answers.add_response("describe_stack_events", events())
    answers.add_response("delete_stack", {}, {"StackName": STACK_ID})
    answers.add_response("describe_stacks", described("DELETE_FAILED"))
    answers.add_response(
        "describe_stack_events",
        events(("slipway-staging", stack, "DELETE_IN_PROGRESS", ""), full),
    )
    answers.add_response("describe_stacks", described("DELETE_FAILED"))
    with pytest.raises(SlipwayError, match="The bucket is not empty"):
        deploy.delete_failed_stack(stub, "slipway-staging", lambda event: None, poll=0)
