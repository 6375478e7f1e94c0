"""Is there something to train? And: what was trained last."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from slipway_dags.runs import read_json, split_address

LAST = "trained.json"  # below the model's runs


def reason_to_train(
    last: dict[str, Any] | None,
    params: dict[str, Any],
    max_age_hours: int | None,
    now: datetime,
    *,
    scheduled: bool = False,
    recorded: str | None = None,
) -> tuple[bool, str]:
    """Return whether to train, and why, or why not.

    ``code`` is the snapshot's address, whose name is the digest of code, parameters and the
    pointers of data: an equal address is an equal training. ``recorded`` is when the model was
    trained by git, for a bucket without a training: a new Airflow does not train all that there is.
    """
    if params.get("force"):
        return True, "forced"
    if last is None and not scheduled:
        return True, "no training is known here"
    if last is None:
        if recorded is None:
            return False, "nothing to do: never trained; start the first training by hand"
        last = {"run": f"the training of {recorded}", "time": recorded, "code": params["code"]}
    if params["code"] != last["code"]:
        return True, f"code, parameters or data changed since {last['run']}"
    if (params.get("parameters") or {}) != last.get("parameters", {}):
        return True, f"other parameters than {last['run']}"
    age = now - datetime.fromisoformat(last["time"])
    hours = age.total_seconds() / 3600
    if max_age_hours is not None and hours >= max_age_hours:
        return (
            True,
            f"{last['run']} is {hours / 24:.1f} days old, of {max_age_hours / 24:g} at most",
        )
    return False, f"nothing to do: {last['run']} made the same {hours / 24:.1f} days ago"


def last_training(hook: Any, runs: str) -> dict[str, Any] | None:
    """Return what :func:`remember` wrote last; ``None`` if nothing was trained yet."""
    return read_json(hook, f"{runs}/{LAST}")


def remember(hook: Any, runs: str, run: str, params: dict[str, Any], verdict: str) -> None:
    """Write what was trained, whatever its verdict: a worse result is not trained again daily."""
    bucket, key = split_address(f"{runs}/{LAST}")
    values = {
        "run": run,
        "code": params["code"],
        "parameters": params.get("parameters") or {},
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "verdict": verdict,
    }
    hook.load_string(json.dumps(values, indent=1), key, bucket, replace=True)
