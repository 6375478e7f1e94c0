"""The DAG that deploys a release: what a merge does, started by hand or by GitLab's manual job."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

from airflow.providers.amazon.aws.hooks.sagemaker import SageMakerHook
from airflow.sdk import DAG, Param, TaskGroup, get_current_context, task

from slipway_dags import messages
from slipway_dags.ended import why_of
from slipway_dags.jobs import job_description, processing_job, time_limit
from slipway_dags.runs import job_name, training_run
from slipway_dags.tell import tell
from slipway_dags.train import START, retries, run_page

STEPS = ("promote", "smoke")


def deploy_dag(description: dict[str, Any]) -> DAG:
    """Return the DAG ``deploy``: promote, send the golden cases, tell. One deployment at a time, as
    GitLab's resource group ``production`` has it."""
    bodies = description["deploy"]
    interval = int(description.get("poll_seconds", 30))
    with DAG(
        dag_id="deploy",
        description="Promote what staging tested to production, and send it the golden cases",
        doc_md=bodies.get("doc"),
        schedule=None,
        start_date=START,
        catchup=False,
        max_active_runs=1,
        is_paused_upon_creation=False,
        tags=["slipway", "deploy"],
        params={
            "model": Param(None, type="string", enum=sorted(description["models"])),
            "target": Param(
                None,
                type="string",
                pattern=r"^\S+$",
                description="the release, as slipway promote takes it: 1.2.0 or a digest",
            ),
            "reason": Param("", type="string", maxLength=500),
        },
        user_defined_macros={
            "training_run": partial(training_run, "deploy"),
            "job_name": partial(job_name, description.get("job_prefix", ""), "deploy"),
            "images": bodies["images"],
            "codes": bodies["codes"],
        },
        default_args=retries(description),
        dagrun_timeout=sum((time_limit(bodies[step]) for step in STEPS), timedelta(hours=1)),
    ) as dag:
        promote, smoke = (processing_job(bodies[step], interval, task_id=step) for step in STEPS)
        said = _said("{{ params.model }}", "{{ params.target }}")
        promote >> smoke >> said >> tell(description, "tell", "said", "what is live, to people")
        with TaskGroup("failure", tooltip="only after a failure: which step, and its log"):
            why = _why(
                "{{ params.model }}",
                "{{ params.target }}",
                {step: bodies[step]["ProcessingJobName"] for step in STEPS},
            )
            why >> tell(description, "tell", "failure.why", "where the log is, to people")
        [promote, smoke] >> why
    return dag


@task(task_id="said", retries=0)
def _said(model: str, target: str) -> dict[str, str]:
    context: Any = get_current_context()
    page = run_page(context["ti"])
    return {
        "subject": messages.subject(f"{model} {target}: released"),
        "text": f"{model} {target} is live; its golden cases agree.\n\nRun: {page}",
        "verdict": "released",
    }


@task(task_id="why", trigger_rule="one_failed")
def _why(model: str, target: str, jobs: dict[str, str]) -> dict[str, str]:
    context: Any = get_current_context()
    hook = SageMakerHook(aws_conn_id=None)
    lines, failed = [], "promote"
    for step, name in jobs.items():
        found = job_description(hook, "Processing", name)
        if found and found["ProcessingJobStatus"] != "Completed":
            failed = step
            lines += [why_of(found), messages.job_log("Processing", name, hook.conn_region_name)]
    state = (
        "Production is unchanged."
        if failed == "promote"
        else f"The release is live and its answers are wrong: slipway rollback {model}"
    )
    return {
        "subject": messages.subject(f"{model} {target}: {failed} failed"),
        "text": "\n".join([*lines, "", state, "", f"Run: {run_page(context['ti'])}"]),
        "verdict": "failed",
    }
