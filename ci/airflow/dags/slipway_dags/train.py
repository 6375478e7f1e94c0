"""The DAG that trains one model."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.providers.amazon.aws.hooks.sns import SnsHook
from airflow.providers.slack.hooks.slack_webhook import SlackWebhookHook
from airflow.sdk import DAG, BaseOperator, Param, TaskGroup, get_current_context, task

from slipway_dags import due, ended, messages
from slipway_dags.description import STEPS
from slipway_dags.jobs import ForGood, processing_job, time_limit, training_job
from slipway_dags.runs import job_name, read_json, training_run
from slipway_dags.tell import tell

RUN = "{{ training_run(dag_run) }}"
PROPOSED = ("better", "equal", "none")
# Airflow 3.0 takes whether pauses grow, and newer ones by what
GROWING = True if BaseOperator.retry_exponential_backoff is False else 2.0
START = datetime(2026, 1, 1, tzinfo=UTC)


def training_dag(description: dict[str, Any], name: str) -> DAG:
    """Return the DAG ``train_<name>``: train, evaluate, compare, tell, propose."""
    model = description["models"][name]
    interval = int(description.get("poll_seconds", 30))

    def ended_as_a_whole(context: Any) -> None:
        _timed_out(description, name, context)

    with DAG(
        dag_id=f"train_{name}",
        description=f"Train {name}, compare it with production, and propose it",
        doc_md=model.get("doc"),
        schedule=model.get("schedule"),
        start_date=START,
        catchup=False,
        max_active_runs=1,  # one run a model at a time; another one waits
        tags=["slipway", "train", name],
        params=_params(model),
        is_paused_upon_creation=False,
        user_defined_macros={
            "training_run": partial(training_run, name),
            "job_name": partial(job_name, description.get("job_prefix", ""), name),
            "run_page": run_page,
        },
        default_args=retries(description),
        on_failure_callback=ended_as_a_whole,
        dagrun_timeout=_time_limit(model),
    ) as dag:
        begin = _due(model["runs"], model.get("max_age_hours"), model.get("trained"))
        with TaskGroup("result", tooltip="train, measure, compare with production"):
            trained = training_job(model["train"], interval, task_id="train")
            measured = processing_job(model["evaluate"], interval, task_id="evaluate")
            compared = processing_job(model["compare"], interval, task_id="compare")
            verdict = _verdict(f"{model['runs']}/{RUN}")
        told = tell(description, "tell", "result.verdict", "both metrics, to people")
        with TaskGroup("proposal", tooltip="a merge request, unless it is worse"):
            better = _better()
            proposed = processing_job(model["propose"], interval, task_id="propose")
            remembered = _remember(model["runs"], RUN)
        begin >> trained >> measured >> compared >> verdict >> [told, better]
        better >> proposed >> remembered
        with TaskGroup("failure", tooltip="stop, remove, tell; only after a failure"):
            cleaned = _clean(name, RUN, model["runs"], job_names(model))
            after = tell(description, "tell", "failure.clean", "where the log is, to people")
            cleaned >> after
        [begin, trained, measured, compared, verdict, better, proposed, remembered] >> cleaned
    return dag


def retries(description: dict[str, Any]) -> dict[str, Any]:
    """Return how often a task is repeated after a fault of AWS. A job that failed is no such."""
    return {
        "owner": "slipway",
        "retries": int(description.get("retries", 3)),
        "retry_delay": timedelta(seconds=int(description.get("retry_seconds", 60))),
        "retry_exponential_backoff": GROWING,
        "max_retry_delay": timedelta(minutes=15),
    }


def _params(model: dict[str, Any]) -> dict[str, Param]:
    names = ", ".join(f"{key} = {value}" for key, value in model["parameters"].items())
    return {
        "code": Param(
            model["code"],
            type="string",
            pattern=r"^s3://[^/]+/.+",
            description="snapshot of the code, in S3; the last one that was deployed",
        ),
        "commit": Param(model["commit"], type="string", description="of the snapshot"),
        "dirty": Param(model["dirty"], type="boolean", description="it has uncommitted changes"),
        "parameters": Param(
            {},
            type="object",
            propertyNames={"enum": sorted(model["parameters"])},
            description=f"values of params.yaml to change for this run: {names}"[:500],
        ),
        "reason": Param("", type="string", maxLength=200, description="why, for the record"),
        "force": Param(False, type="boolean", description="train even if nothing changed"),
    }


@task.short_circuit(task_id="due")
def _due(runs: str, max_age_hours: int | None, trained: str | None) -> bool:
    context: Any = get_current_context()
    last = due.last_training(S3Hook(aws_conn_id=None), runs)
    go, why = due.reason_to_train(
        last,
        context["params"],
        max_age_hours,
        datetime.now(UTC),
        scheduled=context["dag_run"].run_type == "scheduled",
        recorded=trained,
    )
    print(why)
    context["ti"].xcom_push("why", why)
    return go


@task(task_id="verdict")
def _verdict(prefix: str) -> dict[str, Any]:
    context: Any = get_current_context()
    storage = S3Hook(aws_conn_id=None)
    comparison = read_json(storage, f"{prefix}/comparison/comparison.json")
    if comparison is None:
        raise ForGood(f"the comparison left no {prefix}/comparison/comparison.json")
    record = read_json(storage, f"{prefix}/comparison/run.json")
    if record is None:
        record = read_json(storage, f"{prefix}/evaluation/run.json")
    return {**messages.compared(comparison, run_page(context["ti"])), "run": record}


@task.short_circuit(task_id="better", ignore_downstream_trigger_rules=False)
def _better() -> bool:
    context: Any = get_current_context()
    verdict = context["ti"].xcom_pull(task_ids="result.verdict")["verdict"]
    print(f"{verdict}: {'propose it' if verdict in PROPOSED else 'not proposed'}")
    return verdict in PROPOSED


@task(task_id="remember", trigger_rule="none_failed")
def _remember(runs: str, run: str) -> dict[str, Any]:
    context: Any = get_current_context()
    storage = S3Hook(aws_conn_id=None)
    verdict = context["ti"].xcom_pull(task_ids="result.verdict")["verdict"]
    due.remember(storage, runs, run, context["params"], verdict)
    proposal = read_json(storage, f"{runs}/{run}/proposal/proposal.json") or {}
    return {"merge_request": proposal.get("merge_request")}


@task(task_id="clean", trigger_rule="one_failed")
def _clean(name: str, run: str, runs: str, jobs: dict[str, Any]) -> dict[str, str]:
    context: Any = get_current_context()
    verdict = context["ti"].xcom_pull(task_ids="result.verdict")
    return ended.clean(name, run, runs, jobs, run_page(context["ti"]), keep=verdict is not None)


def run_page(instance: Any) -> str:
    """Return the address of the run's page in Airflow."""
    return str(instance.log_url).partition("/tasks/")[0]


def _timed_out(description: dict[str, Any], name: str, context: Any) -> None:
    """Clean up after a run that no task of it can: Airflow ended it as a whole."""
    if context.get("reason") == "task_failure":  # the group "failure" has done so
        return
    model, dag_run = description["models"][name], context["dag_run"]
    environment = context["dag"].get_template_env()
    jobs = {
        step: (kind, environment.from_string(first).render(dag_run=dag_run))
        for step, (kind, first) in job_names(model).items()
    }
    why = f"Airflow ended the run: {context.get('reason')}"
    run, link = training_run(name, dag_run), f"{dag_run.run_id} in Airflow"
    told = ended.clean(name, run, model["runs"], jobs, link, why)
    if description.get("topic"):
        SnsHook(aws_conn_id=None).publish_to_target(
            description["topic"], told["text"], told["subject"]
        )
    if description.get("slack"):
        SlackWebhookHook(slack_webhook_conn_id=description["slack"]).send(
            text=f"*{told['subject']}*\n{told['text']}"
        )


def job_names(model: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Return kind and first name, as a template, of the jobs by step."""
    return {
        step: (kind, model[step][f"{kind}JobName"])
        for step, kind in (
            (step, "Training" if step == "train" else "Processing") for step in STEPS
        )
    }


def _time_limit(model: dict[str, Any]) -> timedelta:
    return timedelta(hours=1) + sum((time_limit(model[step]) for step in STEPS), timedelta())
