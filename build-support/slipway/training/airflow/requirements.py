"""What MWAA installs beside its own Airflow: the providers that the DAGs import."""

from __future__ import annotations

import re

PROVIDERS = ("apache-airflow-providers-amazon", "apache-airflow-providers-slack")
# MWAA has its own, of the version that its environment names
AIRFLOW = re.compile(r"apache-airflow(-core|-task-sdk)?$")
# of the tests alone
TESTS = ("moto",)
CONSTRAINTS = "constraints.txt"
# where MWAA has the DAGs of its bucket
FOLDER = "/usr/local/airflow/dags"
PINNED = re.compile(r"(?m)^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)")


def mwaa_requirements(lock: str) -> dict[str, str]:
    """Return MWAA's ``requirements.txt`` and the constraints that it names, from a lock's text.

    Without constraints of one's own MWAA applies those of its Airflow's release, which hold older
    providers (MWAA User Guide, "Managing Python dependencies in requirements.txt").
    """
    pins = {name.lower(): version for name, version in PINNED.findall(lock)}
    # aiobotocore is an extra of the provider's, without which no task can wait in the triggerer
    wanted = [f"{name}=={pins[name]}" for name in (*PROVIDERS, "aiobotocore")]
    kept = [
        f"{name}=={version}"
        for name, version in sorted(pins.items())
        if not AIRFLOW.fullmatch(name) and name not in TESTS
    ]
    return {
        "requirements.txt": "\n".join([f'--constraint "{FOLDER}/{CONSTRAINTS}"', *wanted]) + "\n",
        CONSTRAINTS: "\n".join(kept) + "\n",
    }
