"""Ask models of the endpoint, so that they stay loaded. An event is {"models": ["NAME", ...]}.

Each target model that a name's alias serves is asked with zeros. A request that a model refuses
loads it, too. The answer is what became of each; the function fails if one is not loaded.
"""

import json
import math
import os
import time

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

SPARE_MS = 75_000  # an attempt takes up to 70 s
WAIT_S = 5
# SageMaker loads a model for up to 360 s, and answers that it is not ready meanwhile
NOT_YET = ("ModelNotReadyException", "ThrottlingException", "ServiceUnavailable")


def handler(event, context):
    """Ask every model in turn."""
    config = Config(read_timeout=70, retries={"total_max_attempts": 1})
    runtime = boto3.client("sagemaker-runtime", config=config)
    store = boto3.client("s3")
    answers, failed = {}, []
    for name in event["models"]:
        try:
            for target in targets(store, name):
                body = json.dumps(request(store, name, target))
                answers[target] = ask(runtime, target, body, context)
        except (BotoCoreError, ClientError, KeyError, TypeError, ValueError) as error:
            failed.append(f"{name}: {error}")
    print(json.dumps({"answers": answers, "failed": failed}))
    if failed:
        raise RuntimeError("; ".join(failed))
    return answers


def read(store, key):
    """Return a JSON object of the catalog."""
    key = f"{os.environ['CATALOG']}{key}"
    return json.loads(store.get_object(Bucket=os.environ["BUCKET"], Key=key)["Body"].read())


def targets(store, name):
    """Return the target models that a name serves, its shadow included."""
    alias = read(store, f"{name}/alias.json")
    found = [each["target"] for each in alias.get("variants", [alias])]
    return found + ([alias["shadow"]] if alias.get("shadow") else [])


def request(store, name, target):
    """Return a request of zeros and empty strings for the release's inputs."""
    interface = read(store, f"{name}/releases/{target}.json")["interface"]
    batch = [1] if interface["max_batch_size"] else []
    inputs = interface["inputs"]
    every = all(each.get("optional") for each in inputs)
    return {"inputs": [blank(each, batch) for each in inputs if every or not each.get("optional")]}


def blank(tensor, batch):
    """Return one input; free sizes are 1."""
    shape = batch + [max(1, size) for size in tensor["dims"]]
    value = {"BYTES": "", "BOOL": False}.get(tensor["datatype"], 0)
    data = [value] * math.prod(shape)
    return {"name": tensor["name"], "datatype": tensor["datatype"], "shape": shape, "data": data}


def ask(runtime, target, body, context):
    """Invoke a target model until it is loaded; return what became of it, and the seconds."""
    began = time.monotonic()
    while True:
        try:
            runtime.invoke_endpoint(
                EndpointName=os.environ["ENDPOINT"],
                TargetModel=target,
                ContentType="application/json",
                Body=body,
            )
            what = "answered"
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in NOT_YET and context.get_remaining_time_in_millis() > SPARE_MS:
                time.sleep(WAIT_S)
                continue
            # Triton's 400: the model is loaded, and does not take zeros
            if code != "ModelError" or error.response.get("OriginalStatusCode") != 400:
                raise
            what = "refused zeros"
        return [what, round(time.monotonic() - began, 3)]
