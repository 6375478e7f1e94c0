"""What moto's CloudFormation lacks and `slipway infra` needs, added to the server of these tests.

moto 5.2.5 executes a change set without computing the stack's outputs, loses its parameters,
answers 500 where a resource fails instead of rolling back, and has no termination protection. What
it cannot create is listed in docs/infrastructure.md, and a test compares the list.
"""

from __future__ import annotations

from typing import Any

import pytest
from moto.cloudformation.models import CloudFormationBackend, cloudformation_backends
from moto.cloudformation.parsing import ResourceMap, clean_json
from moto.cloudformation.responses import CloudFormationResponse
from moto.core.responses import ActionResult

from slipway.infra.environment import Environment

ACCOUNT, REGION = "123456789012", "us-east-1"


def complete(patch: pytest.MonkeyPatch) -> None:
    """Add them, for as long as a test takes."""
    executed = CloudFormationBackend.execute_change_set

    def execute(self: Any, change_set_name: str, stack_name: str | None = None) -> None:
        change_set = self.describe_change_set(change_set_name)
        stack = self.stacks[change_set.stack_id]
        try:
            executed(self, change_set_name, stack_name)
        except Exception as error:  # as CloudFormation: tell it by events, and go back
            creates = change_set.change_set_type == "CREATE"
            stack._add_stack_event(
                "CREATE_FAILED" if creates else "UPDATE_FAILED", resource_status_reason=str(error)
            )
            stack.status = "ROLLBACK_COMPLETE" if creates else "UPDATE_ROLLBACK_COMPLETE"
            stack._add_stack_event(stack.status)
            return
        stack._parse_template()
        stack.output_map = stack._create_output_map()
        stack.parameters = change_set.parameters

    def protect(self: Any) -> ActionResult:
        stack = self.cloudformation_backend.get_stack(self._get_param("StackName"))
        stack.enable_termination_protection = self._get_param("EnableTerminationProtection") in (
            True,
            "true",
        )
        return ActionResult({"StackId": stack.stack_id})

    patch.setattr(CloudFormationBackend, "execute_change_set", execute)
    patch.setattr(CloudFormationResponse, "update_termination_protection", protect, raising=False)


def rendered(stack: str, resource: str) -> dict[str, Any]:
    """A resource's properties with every function of the template worked out by moto, which
    does so for those that it cannot make, too."""
    made = cloudformation_backends[ACCOUNT][REGION].get_stack(stack)
    properties: dict[str, Any] = clean_json(
        made.template_dict["Resources"][resource]["Properties"], made.resource_map
    )
    return properties


def existing(stack: str) -> set[str]:
    """The resources of a stack whose conditions hold, as moto works them out."""
    made = cloudformation_backends[ACCOUNT][REGION].get_stack(stack)
    holds = made.resource_map.lazy_condition_map
    return {
        name
        for name, resource in made.template_dict["Resources"].items()
        if "Condition" not in resource or holds[resource["Condition"]]
    }


def computed(environment: Environment, *resources: str) -> list[dict[str, Any]]:
    """The same without making anything, for what moto cannot make at all, such as a model of two
    containers. Attributes of other resources are their names."""
    document: Any = environment.template.document
    parameters = dict(environment.parameters)
    known = ResourceMap("id", environment.stack, parameters, {}, REGION, ACCOUNT, document, {})
    known.load_mapping()
    known.load_parameters()
    known.load_conditions()
    return [
        clean_json(_without_attributes(document["Resources"][name]["Properties"]), known)
        for name in resources
    ]


def _without_attributes(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_attributes(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "Fn::GetAtt" in value:
        return ".".join(value["Fn::GetAtt"])
    return {key: _without_attributes(item) for key, item in value.items()}
