"""What ``slipway_training.py`` builds its DAGs of. Imports Airflow and its providers alone."""
