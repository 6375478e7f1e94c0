"""Tell people: SNS, which sends e-mail, and Slack."""

from __future__ import annotations

from typing import Any

from airflow.providers.amazon.aws.operators.sns import SnsPublishOperator
from airflow.providers.slack.operators.slack_webhook import SlackWebhookOperator
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import TaskGroup


def tell(description: dict[str, Any], group: str, source: str, tooltip: str) -> TaskGroup:
    """Return a group of tasks that send what the task ``source`` wrote: where neither a topic nor a
    connection of Slack's is configured, the group says so by an empty task."""
    text = f"{{{{ ti.xcom_pull(task_ids='{source}')['text'] }}}}"
    head = f"{{{{ ti.xcom_pull(task_ids='{source}')['subject'] }}}}"
    verdict = f"{{{{ ti.xcom_pull(task_ids='{source}')['verdict'] }}}}"
    with TaskGroup(group, tooltip=tooltip) as tasks:
        if description.get("topic"):
            SnsPublishOperator(
                task_id="sns",
                target_arn=description["topic"],
                subject=head,
                message=text,
                message_attributes={"verdict": verdict},
                aws_conn_id=None,
            )
        if description.get("slack"):
            SlackWebhookOperator(
                task_id="slack",
                slack_webhook_conn_id=description["slack"],
                message=f"*{head}*\n{text}",
            )
        if not (description.get("topic") or description.get("slack")):
            EmptyOperator(task_id="nobody", doc="neither a topic nor a Slack connection is set")
    return tasks
