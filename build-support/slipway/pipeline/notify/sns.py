"""A message to an SNS topic: mail, queues, chats that AWS knows."""

from __future__ import annotations

import json
from collections.abc import Sequence

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from slipway.errors import SlipwayError

VARIABLE = "SLIPWAY_SNS_TOPIC"
TIMEOUT_S = 10
ATTEMPTS = 4
# https://docs.aws.amazon.com/sns/latest/api/API_Publish.html: 262,144 bytes; a mail needs less
LARGEST = 100_000


def send(
    topic: str, subject: str, text: str, *, kind: str, stage: str, names: Sequence[str]
) -> None:
    """Publish ``text`` to the topic with this ARN. Kind, stage and models are attributes of the message,
    by which a subscription can choose. boto3 tries again while SNS is busy.

    Raises:
        SlipwayError: SNS did not take it.
    """
    parts = topic.split(":")
    if len(parts) != 6 or parts[2] != "sns":
        raise SlipwayError(
            f"no ARN of a topic: {topic!r}",
            where=VARIABLE,
            fix="such as arn:aws:sns:eu-west-1:123456789012:releases",
        )
    try:
        client = boto3.session.Session().client(
            "sns",
            region_name=parts[3],
            config=Config(
                connect_timeout=TIMEOUT_S,
                read_timeout=TIMEOUT_S,
                retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
            ),
        )
        client.publish(
            TopicArn=topic,
            Subject=subject,
            Message=text.encode()[:LARGEST].decode(errors="ignore"),
            MessageAttributes={
                "event": {"DataType": "String", "StringValue": kind},
                "stage": {"DataType": "String", "StringValue": stage},
                "models": {"DataType": "String.Array", "StringValue": json.dumps(list(names))},
            },
        )
    except (BotoCoreError, ClientError, ValueError) as error:
        raise SlipwayError(
            f"SNS did not take it: {error}",
            where=VARIABLE,
            fix="check the topic, and that the role is allowed sns:Publish",
        ) from error
