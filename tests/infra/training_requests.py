"""What the roles of the training's stack ask for, and whether they should get it.

``python -m tests.infra.training_requests FILE`` writes the requests with the policies of the roles.
``simulate.mjs`` asks another evaluator about them; ``simulated_training.txt`` is its answer.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from slipway import settings
from slipway.infra.environment import load_environment
from slipway.infra.intrinsics import Deployed
from slipway.infra.roles import MANAGED, POLICY, attached_roles

ROOT = Path(__file__).resolve().parents[2]
ACCOUNT, REGION = "000000000000", "us-east-1"
AWS = f"{REGION}:{ACCOUNT}"
BUCKET = f"arn:aws:s3:::slipway-production-training-{ACCOUNT}-{REGION}"
RELEASES = f"arn:aws:s3:::slipway-production-{ACCOUNT}-{REGION}"
JOB = f"arn:aws:sagemaker:{AWS}:training-job/slipway-fares-20261130T233000Z-abc123"
STEP = f"arn:aws:sagemaker:{AWS}:processing-job/slipway-fares-20261130T233000Z-abc123-compare"
ROLE = f"arn:aws:iam::{ACCOUNT}:role"
SECRET = f"arn:aws:secretsmanager:{AWS}:secret:slipway-production-training"
IMAGES = f"arn:aws:ecr:{AWS}:repository"
KEY = f"arn:aws:kms:{AWS}:key/slipway-production-training-Key"
OTHER_KEY = f"arn:aws:kms:{AWS}:key/other"
FUNCTIONS = f"arn:aws:lambda:{AWS}:function"
USERS = f"arn:aws:airflow:{AWS}:role"
LOGS = f"arn:aws:logs:{AWS}:log-group"
RUN = f"{BUCKET}/training/fares/fares-20261130T233000Z-abc123"
SAGEMAKER = {"iam:PassedToService": "sagemaker.amazonaws.com"}
GRANT = {"kms:GrantIsForAWSResource": "true"}

JOBS, AIRFLOW, CI, FUNCTION = (
    "TrainingRole", "AirflowExecutionRole", "slipway-production-ci", "AirflowFunctionRole"
)  # fmt: skip
# role, action, resource, the request's condition keys, whether it is allowed
type Request = tuple[str, str, str, dict[str, Any], bool]
REQUESTS: list[Request] = [
    # Airflow starts, reads and stops this project's jobs, and no others
    (AIRFLOW, "sagemaker:CreateTrainingJob", JOB, {}, True),
    (AIRFLOW, "sagemaker:CreateProcessingJob", STEP, {}, True),
    (AIRFLOW, "sagemaker:AddTags", JOB, {}, True),
    (AIRFLOW, "sagemaker:DescribeTrainingJob", JOB, {}, True),
    (AIRFLOW, "sagemaker:StopTrainingJob", JOB, {}, True),
    (AIRFLOW, "sagemaker:StopProcessingJob", STEP, {}, True),
    (AIRFLOW, "sagemaker:ListTrainingJobs", "*", {}, True),
    (AIRFLOW, "sagemaker:CreateTrainingJob", JOB.replace("slipway-", "payroll-"), {}, False),
    (AIRFLOW, "sagemaker:StopTrainingJob", JOB.replace("slipway-", "payroll-"), {}, False),
    (AIRFLOW, "sagemaker:DescribeProcessingJob", STEP.replace("slipway-", "payroll-"), {}, False),
    (AIRFLOW, "sagemaker:CreateTrainingJob", JOB.replace("us-east-1", "eu-west-1"), {}, False),
    (AIRFLOW, "sagemaker:CreateEndpoint", f"arn:aws:sagemaker:{AWS}:endpoint/slipway-x", {}, False),
    (AIRFLOW, "sagemaker:UpdateEndpoint", f"arn:aws:sagemaker:{AWS}:endpoint/slipway-production",
     {}, False),
    (AIRFLOW, "sagemaker:InvokeEndpoint", f"arn:aws:sagemaker:{AWS}:endpoint/slipway-production",
     {}, False),
    # ...and passes them the training's role alone, to SageMaker alone
    (AIRFLOW, "iam:PassRole", f"{ROLE}/slipway-production-training", SAGEMAKER, True),
    (AIRFLOW, "iam:PassRole", f"{ROLE}/slipway-production-training", {}, False),
    (AIRFLOW, "iam:PassRole", f"{ROLE}/slipway-production-training",
     {"iam:PassedToService": "lambda.amazonaws.com"}, False),
    (AIRFLOW, "iam:PassRole", f"{ROLE}/slipway-production-endpoint", SAGEMAKER, False),
    (AIRFLOW, "iam:PassRole", f"{ROLE}/Administrator", SAGEMAKER, False),
    (AIRFLOW, "iam:PassRole", f"{ROLE}/slipway-production-airflow", SAGEMAKER, False),
    (AIRFLOW, "s3:GetObject", f"{BUCKET}/dags/slipway_training.py", {}, True),
    (AIRFLOW, "s3:GetObject", f"{BUCKET}/requirements.txt", {}, True),
    (AIRFLOW, "s3:GetObject", f"{RUN}/comparison/comparison.json", {}, True),
    (AIRFLOW, "s3:GetObject", f"{BUCKET}/dvc/files/md5/00/11", {}, False),
    (AIRFLOW, "s3:PutObject", f"{BUCKET}/dags/slipway_training.py", {}, False),
    (AIRFLOW, "s3:PutObject", f"{RELEASES}/production/catalog/fares/alias.json", {}, False),
    (AIRFLOW, "s3:GetObject", f"{RELEASES}/production/catalog/fares/alias.json", {}, False),
    (AIRFLOW, "sns:Publish", f"arn:aws:sns:{AWS}:slipway-production-training", {}, True),
    (AIRFLOW, "sns:Publish", f"arn:aws:sns:{AWS}:payroll", {}, False),
    (AIRFLOW, "secretsmanager:GetSecretValue", f"{SECRET}/connections/slack-a1b2c3", {}, True),
    (AIRFLOW, "secretsmanager:GetSecretValue", f"{SECRET}/push-token-a1b2c3", {}, False),
    (AIRFLOW, "sqs:SendMessage", "arn:aws:sqs:us-east-1:111122223333:airflow-celery-1", {}, True),
    (AIRFLOW, "sqs:SendMessage", f"arn:aws:sqs:{AWS}:orders", {}, False),
    (AIRFLOW, "logs:PutLogEvents",
     f"{LOGS}:airflow-slipway-production-training-Task:log-stream:a", {}, True),
    (AIRFLOW, "logs:PutLogEvents", f"{LOGS}:/aws/lambda/payroll:log-stream:a", {}, False),
    (AIRFLOW, "logs:GetLogEvents", f"{LOGS}:/aws/sagemaker/TrainingJobs:log-stream:a", {}, True),
    (AIRFLOW, "kms:GenerateDataKey", KEY, {}, True),
    (AIRFLOW, "kms:Decrypt", OTHER_KEY, {}, False),
    (AIRFLOW, "kms:CreateGrant", KEY, GRANT, True),
    (AIRFLOW, "kms:CreateGrant", KEY, {"kms:GrantIsForAWSResource": "false"}, False),
    (AIRFLOW, "airflow:CreateWebLoginToken",
     f"{USERS}/slipway-production-training/Admin", {}, False),
    # a job reads what it is given, writes its run, and changes no code
    (JOBS, "s3:GetObject", f"{BUCKET}/training/code/00.tar.gz", {}, True),
    (JOBS, "s3:PutObject", f"{RUN}/output/model.tar.gz", {}, True),
    (JOBS, "s3:PutObject", f"{BUCKET}/dvc/files/md5/00/11", {}, True),
    (JOBS, "s3:DeleteObject", f"{RUN}/checkpoints/1.bin", {}, True),
    (JOBS, "s3:DeleteObject", f"{RUN}/output/model.tar.gz", {}, False),
    (JOBS, "s3:DeleteObject", f"{BUCKET}/dvc/files/md5/00/11", {}, False),
    (JOBS, "s3:PutObject", f"{BUCKET}/training/code/00.tar.gz", {}, False),
    (JOBS, "s3:PutObject", f"{BUCKET}/dags/slipway_training.py", {}, False),
    (JOBS, "s3:PutObject", f"{BUCKET}/requirements.txt", {}, False),
    # ...compares with what production serves, and can write nothing there
    (JOBS, "s3:GetObject", f"{RELEASES}/production/catalog/fares/alias.json", {}, True),
    (JOBS, "s3:GetObject", f"{RELEASES}/production/models/fares_1.0.0.tar.gz", {}, False),
    (JOBS, "s3:PutObject", f"{RELEASES}/production/catalog/fares/alias.json", {}, False),
    (JOBS, "s3:PutObject", f"{RELEASES}/production/models/fares_1.0.0.tar.gz", {}, False),
    (JOBS, "s3:DeleteObject", f"{RELEASES}/production/models/fares_1.0.0.tar.gz", {}, False),
    (JOBS, "s3:ListBucket", RELEASES, {"s3:prefix": "production/catalog/fares"}, True),
    (JOBS, "s3:ListBucket", RELEASES, {"s3:prefix": "production/models/"}, False),
    (JOBS, "s3:ListBucket", RELEASES, {}, False),
    (JOBS, "kms:Decrypt", OTHER_KEY, {"kms:ResourceAliases": ["alias/slipway-production"],
     "kms:ViaService": "s3.us-east-1.amazonaws.com"}, True),
    (JOBS, "kms:Decrypt", OTHER_KEY, {"kms:ResourceAliases": ["alias/slipway-production"]}, False),
    (JOBS, "secretsmanager:GetSecretValue", f"{SECRET}/push-token-a1b2c3", {}, True),
    (JOBS, "secretsmanager:GetSecretValue", f"{SECRET}/connections/slack-a1b2c3", {}, False),
    (JOBS, "secretsmanager:PutSecretValue", f"{SECRET}/push-token-a1b2c3", {}, False),
    (JOBS, "ecr:BatchGetImage", f"{IMAGES}/slipway-production-training", {}, True),
    (JOBS, "ecr:BatchGetImage", f"{IMAGES}/payroll", {}, False),
    (JOBS, "ecr:PutImage", f"{IMAGES}/slipway-production-training", {}, False),
    (JOBS, "logs:PutLogEvents", f"{LOGS}:/aws/sagemaker/ProcessingJobs:log-stream:a", {}, True),
    (JOBS, "cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": "/aws/sagemaker/TrainingJobs"},
     True),
    (JOBS, "cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": "Slipway"}, False),
    (JOBS, "sagemaker:CreateTrainingJob", JOB, {}, False),
    (JOBS, "iam:PassRole", f"{ROLE}/slipway-production-training", SAGEMAKER, False),
    # CI trains directly, uploads code and images, and asks Airflow through the function alone
    (CI, "sagemaker:CreateTrainingJob", JOB, {}, True),
    (CI, "sagemaker:StopTrainingJob", JOB.replace("slipway-", "payroll-"), {}, False),
    (CI, "iam:PassRole", f"{ROLE}/slipway-production-training", SAGEMAKER, True),
    (CI, "iam:PassRole", f"{ROLE}/slipway-production-airflow",
     {"iam:PassedToService": "airflow.amazonaws.com"}, False),
    (CI, "s3:PutObject", f"{BUCKET}/training/code/00.tar.gz", {}, True),
    (CI, "s3:PutObject", f"{BUCKET}/dags/slipway_training.py", {}, True),
    (CI, "s3:DeleteObject", f"{BUCKET}/dags/old.py", {}, True),
    (CI, "s3:DeleteObjectVersion", f"{BUCKET}/training/code/00.tar.gz", {}, False),
    (CI, "s3:PutBucketPolicy", BUCKET, {}, False),
    (CI, "s3:GetObject", f"{RUN}/output/model.tar.gz", {}, True),
    (CI, "ecr:PutImage", f"{IMAGES}/slipway-production-training", {}, True),
    (CI, "ecr:BatchDeleteImage", f"{IMAGES}/slipway-production-training", {}, False),
    (CI, "ecr:PutImageTagMutability", f"{IMAGES}/slipway-production-training", {}, False),
    (CI, "ecr:PutImage", f"{IMAGES}/payroll", {}, False),
    (CI, "lambda:InvokeFunction", f"{FUNCTIONS}:slipway-production-training-airflow", {}, True),
    (CI, "lambda:InvokeFunction", f"{FUNCTIONS}:payroll", {}, False),
    (CI, "lambda:UpdateFunctionCode", f"{FUNCTIONS}:slipway-production-training-airflow", {},
     False),
    (CI, "airflow:InvokeRestApi", f"{USERS}/slipway-production-training/User",
     {}, False),
    (CI, "airflow:InvokeRestApi", f"{USERS}/slipway-production-training/Admin",
     {}, False),
    (CI, "airflow:GetEnvironment", f"arn:aws:airflow:{AWS}:environment/slipway-production-training",
     {}, True),
    (CI, "airflow:UpdateEnvironment",
     f"arn:aws:airflow:{AWS}:environment/slipway-production-training", {}, False),
    (CI, "secretsmanager:GetSecretValue", f"{SECRET}/push-token-a1b2c3", {}, False),
    (CI, "sagemaker:CreateModelPackageGroup",
     f"arn:aws:sagemaker:{AWS}:model-package-group/slipway-fares", {}, True),
    (CI, "sagemaker:CreateModelPackage", f"arn:aws:sagemaker:{AWS}:model-package/slipway-fares/1",
     {}, True),
    (CI, "sagemaker:DeleteModelPackageGroup",
     f"arn:aws:sagemaker:{AWS}:model-package-group/slipway-fares", {}, False),
    # the function logs in as a user of Airflow, and Lambda alone makes its interfaces
    (FUNCTION, "airflow:CreateWebLoginToken",
     f"{USERS}/slipway-production-training/User", {}, True),
    (FUNCTION, "airflow:CreateWebLoginToken",
     f"{USERS}/slipway-production-training/Admin", {}, False),
    (FUNCTION, "airflow:CreateWebLoginToken", f"{USERS}/payroll/User", {}, False),
    (FUNCTION, "ec2:CreateNetworkInterface", f"arn:aws:ec2:{AWS}:subnet/subnet-1", {}, True),
    (FUNCTION, "ec2:CreateNetworkInterface", f"arn:aws:ec2:{AWS}:subnet/subnet-1",
     {"lambda:SourceFunctionArn":
      f"{FUNCTIONS}:slipway-production-training-airflow"}, False),
    (FUNCTION, "logs:PutLogEvents",
     f"{LOGS}:/aws/lambda/slipway-production-training-airflow:log-stream:a", {}, True),
    (FUNCTION, "s3:GetObject", f"{BUCKET}/dags/slipway_training.py", {}, False),
    (FUNCTION, "sagemaker:CreateTrainingJob", JOB, {}, False),
]  # fmt: skip


def policies_of(root: Path, role: str) -> list[dict[str, Any]]:
    """Return the documents of all policies that a role has, as they would be deployed."""
    loaded = load_environment(settings.load(root), "training", to_deploy=False)
    document = loaded.template.document
    deployed = Deployed(
        document, loaded.parameters, REGION, ACCOUNT, loaded.stack, str(loaded.template.path)
    )
    return policies_in(deployed, role)


def policies_in(deployed: Deployed, role: str) -> list[dict[str, Any]]:
    """Return the documents of all policies that a role has in a deployed template."""
    document = deployed.document
    own = document["Resources"].get(role, {"Properties": {}})
    found = [policy["PolicyDocument"] for policy in own["Properties"].get("Policies", ())]
    for other in document["Resources"].values():
        if other["Type"] not in (POLICY, MANAGED) or not deployed.exists(other):
            continue
        if other["Type"] == MANAGED:  # of a role of another stack
            roles = deployed.resolve(other["Properties"]["Roles"])
        else:
            roles = attached_roles(other, deployed)
        if role in roles:
            found.append(other["Properties"]["PolicyDocument"])
    return [deployed.resolve(each) for each in found]


def cases(root: Path = ROOT) -> list[dict[str, Any]]:
    """Return the requests with their policies, for an evaluator."""
    policies = {role: policies_of(root, role) for role in (JOBS, AIRFLOW, CI, FUNCTION)}
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


def digest(asked: list[dict[str, Any]]) -> str:
    """Return what changes when a policy or a request does."""
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps({"digest": digest(cases()), "cases": cases()}))
