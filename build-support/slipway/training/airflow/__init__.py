"""Train by a DAG of Airflow: start it, follow it, and end as it ends."""
