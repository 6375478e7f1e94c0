"""The DAGs of this repository's models: one that trains each, and one that deploys.

What a job runs comes from ``slipway_training.json`` beside this file, which
``python -m slipway.training.airflow.describe`` writes. An import reads that file and nothing else:
no network, no connection, no variable. MWAA's workers have Airflow and its providers alone, so
nothing here imports ``slipway``.
"""

from __future__ import annotations

from pathlib import Path

from airflow.sdk import get_parsing_context
from slipway_dags.deploy import deploy_dag
from slipway_dags.description import load_description
from slipway_dags.train import training_dag

description = load_description(Path(__file__).with_name("slipway_training.json"))
wanted = get_parsing_context().dag_id  # a worker wants one DAG alone; None: all of them
for name in description["models"]:
    if wanted in (None, f"train_{name}"):
        globals()[f"train_{name}"] = training_dag(description, name)
if "deploy" in description and wanted in (None, "deploy"):
    deploy = deploy_dag(description)
