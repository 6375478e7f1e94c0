"""A message to an SNS topic: mail, queues, and chats that AWS supports."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from slipway.errors import SlipwayError

if TYPE_CHECKING:
    from mypy_boto3_sns.type_defs import MessageAttributeValueTypeDef

VARIABLE = "SLIPWAY_SNS_TOPIC"
TIMEOUT_S = 10
ATTEMPTS = 4
# https://docs.aws.amazon.com/sns/latest/api/API_Publish.html: 262,144 bytes; a mail needs less
MAX_BYTES = 100_000


@dataclass(frozen=True)
class Attributes:
    """The message attributes by which a subscription can filter."""

    kind: str
    stage: str
    models: Sequence[str]

    def as_sns(self) -> dict[str, MessageAttributeValueTypeDef]:
        """Return the attributes as ``Publish`` takes them."""
        return {
            "event": {"DataType": "String", "StringValue": self.kind},
            "stage": {"DataType": "String", "StringValue": self.stage},
            "models": {"DataType": "String.Array", "StringValue": json.dumps(list(self.models))},
        }


def send(topic: str, subject: str, text: str, attributes: Attributes) -> None:
    """Publish ``text`` to the topic with this ARN. boto3 retries while SNS is busy.

    Raises:
        SlipwayError: SNS did not accept the message.
    """
    parts = topic.split(":")
    if len(parts) != 6 or parts[2] != "sns":
        raise SlipwayError(
            f"not the ARN of an SNS topic: {topic!r}",
            where=VARIABLE,
            fix="set it to an ARN such as arn:aws:sns:eu-west-1:123456789012:releases",
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
            Message=text.encode()[:MAX_BYTES].decode(errors="ignore"),
            MessageAttributes=attributes.as_sns(),
        )
    except (BotoCoreError, ClientError, ValueError) as error:
        raise SlipwayError(
            f"SNS did not accept the message: {error}",
            where=VARIABLE,
            fix="check the topic, and that the role is allowed sns:Publish",
        ) from error
