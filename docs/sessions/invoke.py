"""An unmodified boto3 client asks a multi-model endpoint; only ``endpoint_url`` is not AWS's."""

import json

import boto3
from botocore.config import Config

client = boto3.client(
    "sagemaker-runtime",
    endpoint_url="http://127.0.0.1:8090",
    region_name="us-east-1",
    aws_access_key_id="anything",
    aws_secret_access_key="anything",
    # a first answer may take 60 s, which is where botocore's own patience ends
    config=Config(read_timeout=70, retries={"total_max_attempts": 1}),
)
row = {"shape": [1, 4], "datatype": "FP32", "data": [1, 2, 3, 4]}
good = {"inputs": [{"name": "A", **row}, {"name": "B", **row}]}
bad = {"inputs": [{"name": "A", **row}]}


def ask(target, request):
    print(f"--- {target}")
    try:
        answer = client.invoke_endpoint(
            EndpointName="local",
            TargetModel=target,
            ContentType="application/json",
            Body=json.dumps(request),
        )
    except client.exceptions.ModelError as error:
        print("ModelError", error.response["OriginalStatusCode"], error.response["OriginalMessage"])
    except client.exceptions.ModelNotReadyException as error:
        print("ModelNotReadyException", error.response["Error"]["Message"])
    except client.exceptions.ClientError as error:
        print(type(error).__name__, error.response["Error"]["Message"])
    else:
        print(answer["InvokedProductionVariant"], answer["ContentType"])
        print(json.load(answer["Body"])["outputs"])


ask("adder_1.0.0.tar.gz", good)
ask("adder_1.0.0.tar.gz", bad)
ask("adder_9.9.9.tar.gz", good)
ask("slow_1.0.0.tar.gz", good)
