"""What Triton counts, and the processes' time, as a table."""

from __future__ import annotations

import os

from slipway.breakdown.measure import Breakdown
from slipway.breakdown.processes import SERVER, processor_seconds
from slipway.breakdown.statistics import Spent, parse_statistics
from slipway.breakdown.table import rows, text

# as Triton 24.10 answers GET /v2/models/NAME/stats, without what is not read
ANSWER = {
    "model_stats": [
        {
            "name": "owl_inferencer",
            "version": "1",
            "inference_count": 20,
            "execution_count": 5,
            "inference_stats": {
                "success": {"count": 10, "ns": 30_000_000},
                "fail": {"count": 0, "ns": 0},
                "queue": {"count": 10, "ns": 5_000_000},
                "compute_input": {"count": 10, "ns": 1_000_000},
                "compute_infer": {"count": 10, "ns": 20_000_000},
                "compute_output": {"count": 10, "ns": 1_000_000},
            },
        }
    ]
}
STEP = Spent(10, 5, 30_000_000, 5_000_000, 1_000_000, 20_000_000, 1_000_000)


def test_tritons_answer_is_read_as_times_a_request() -> None:
    found = parse_statistics(ANSWER)
    assert found == {"owl_inferencer": STEP}
    assert STEP.each("compute") == 2.0
    assert STEP.batch == 2.0
    assert Spent().each("compute") == Spent().batch == 0.0


def test_only_what_was_added_counts() -> None:
    assert Spent() == (STEP - STEP)
    assert STEP - Spent() == STEP


def test_a_table_says_what_is_the_models_and_what_the_servers() -> None:
    whole = Spent(10, 10, 40_000_000)
    found = Breakdown(1, 10, 5.0, whole, {"owl_inferencer": STEP}, {SERVER: 0.5})
    assert (found.models, found.waits) == (2.0, 0.5)
    assert found.server == 2.5
    assert found.between == found.outside == 1.0
    cells = {row[0]: row[1:] for row in rows(found)}
    assert cells["owl_inferencer (batches of 2.0)"] == ("0.50", "0.20", "2.00", "in Triton's")
    assert cells["between the models"][0] == "1.00"
    shown = text(found)
    assert shown.startswith("1 client, 10 requests")
    assert "models 2.00, waiting for their turn 0.50, the server 2.50" in shown


def test_a_model_without_an_ensemble_has_one_row() -> None:
    found = Breakdown(8, 10, 5.0, None, {"owl": STEP}, {SERVER: 0.5, "owl": 2.0})
    assert [row[0] for row in rows(found)][0].startswith("owl")
    assert found.between == 0.0
    assert "8 clients" in text(found)


def test_processor_time_is_that_of_processes_below_the_supervisor() -> None:
    used = processor_seconds(os.getpid(), ["owl"])
    assert set(used) == {SERVER}
    assert used[SERVER] >= 0
