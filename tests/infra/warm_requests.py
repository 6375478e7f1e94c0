"""What the roles of the schedule that keeps models loaded ask for, and whether they should get it.

``python -m tests.infra.warm_requests FILE`` writes the requests with the policies of the roles.
``simulate.mjs`` asks another evaluator about them; ``simulated_warm.txt`` is its answer.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from slipway import settings
from slipway.infra.environment import load_environment
from slipway.infra.intrinsics import Deployed
from tests.infra.training_requests import (
    ACCOUNT,
    AWS,
    REGION,
    ROLE,
    ROOT,
    Request,
    digest,
    policies_in,
)

ENVIRONMENT = "warm.example"
MODELS = "fares,screen_detection"
ENDPOINT = f"arn:aws:sagemaker:{AWS}:endpoint/slipway-production"
BUCKET = f"slipway-production-{ACCOUNT}-{REGION}"
CATALOG = f"arn:aws:s3:::{BUCKET}/production/catalog"
FUNCTIONS = f"arn:aws:lambda:{AWS}:function"
LOGS = f"arn:aws:logs:{AWS}:log-group:/aws/lambda"
WARM, SCHEDULE = "FunctionRole", "ScheduleRole"
NAMES = {WARM: "slipway-production-warm", SCHEDULE: "slipway-production-warm-schedule"}


def _target(name: str) -> dict[str, Any]:
    return {"sagemaker:TargetModel": name}


REQUESTS: list[Request] = [
    # the named models of this endpoint, in any release
    (WARM, "sagemaker:InvokeEndpoint", ENDPOINT, _target("fares_1.0.0.tar.gz"), True),
    (WARM, "sagemaker:InvokeEndpoint", ENDPOINT, _target("screen_detection_2.tar.gz"), True),
    (WARM, "sagemaker:InvokeEndpoint", ENDPOINT, _target("translate_1.0.0.tar.gz"), False),
    (WARM, "sagemaker:InvokeEndpoint", ENDPOINT, {}, False),
    (WARM, "sagemaker:InvokeEndpoint", f"{ENDPOINT}-wines", _target("fares_1.0.0.tar.gz"), False),
    (WARM, "sagemaker:UpdateEndpoint", ENDPOINT, {}, False),
    # what an alias serves, and how a release is asked; no model and no change
    (WARM, "s3:GetObject", f"{CATALOG}/fares/alias.json", {}, True),
    (WARM, "s3:GetObject", f"{CATALOG}/fares/releases/fares_1.0.0.tar.gz.json", {}, True),
    (WARM, "s3:GetObject", f"arn:aws:s3:::{BUCKET}/production/models/fares_1.tar.gz", {}, False),
    (WARM, "s3:GetObject", CATALOG.replace("production/", "staging/") + "/fares/alias.json", {},
     False),
    (WARM, "s3:PutObject", f"{CATALOG}/fares/alias.json", {}, False),
    (WARM, "s3:DeleteObject", f"{CATALOG}/fares/alias.json", {}, False),
    (WARM, "s3:ListBucket", f"arn:aws:s3:::{BUCKET}", {}, False),
    (WARM, "logs:PutLogEvents", f"{LOGS}/slipway-production-warm:log-stream:a", {}, True),
    (WARM, "logs:PutLogEvents", f"{LOGS}/payroll:log-stream:a", {}, False),
    (WARM, "lambda:InvokeFunction", f"{FUNCTIONS}:slipway-production-warm", {}, False),
    (WARM, "iam:PassRole", f"{ROLE}/slipway-production-endpoint", {}, False),
    # the schedule starts that function, and nothing else
    (SCHEDULE, "lambda:InvokeFunction", f"{FUNCTIONS}:slipway-production-warm", {}, True),
    (SCHEDULE, "lambda:InvokeFunction", f"{FUNCTIONS}:another", {}, False),
    (SCHEDULE, "lambda:UpdateFunctionCode", f"{FUNCTIONS}:slipway-production-warm", {}, False),
    (SCHEDULE, "sagemaker:InvokeEndpoint", ENDPOINT, _target("fares_1.0.0.tar.gz"), False),
]  # fmt: skip


def cases(root: Path = ROOT) -> list[dict[str, Any]]:
    """Return the requests with their policies, for an evaluator."""
    loaded = load_environment(settings.load(root), ENVIRONMENT, to_deploy=False)
    deployed = Deployed(
        loaded.template.document,
        {**loaded.parameters, "Models": MODELS},
        REGION,
        ACCOUNT,
        loaded.stack,
        str(loaded.template.path),
    )
    policies = {role: policies_in(deployed, role) for role in (WARM, SCHEDULE)}
    return [
        {
            "principal": f"{ROLE}/{role}",
            "action": action,
            "resource": resource,
            "context": context,
            "policies": policies[role],
        }
        for role, action, resource, context, _ in REQUESTS
    ]


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps({"digest": digest(cases()), "cases": cases()}))
