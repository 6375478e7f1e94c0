"""Train by a DAG of Airflow: the description that its DAGs are built of, and runs of them."""
