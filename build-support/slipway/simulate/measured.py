"""Take figures from what was measured: the local endpoint's state, or a load test's report."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from slipway.errors import SlipwayError
from slipway.simulate.distribution import Distribution, measured

FIX = (
    "give the address of a local endpoint that has loaded, evicted and answered, such as"
    " http://127.0.0.1:8090; or the file of slipway loadtest … --json"
)
TIMEOUT_S = 10.0
MOST_BYTES = 64 << 20


@dataclass(frozen=True)
class Measured:
    """Durations in seconds by name (``load``, ``unload``, ``settle``, ``first``, ``ending``,
    ``download``, ``serve``), and sizes in bytes by model (``memory``, ``disk``); what was not
    measured is left out."""

    times: dict[str, Distribution] = field(default_factory=dict)
    sizes: dict[str, Distribution] = field(default_factory=dict)


def read_measured(source: str, endpoint: str) -> Measured:
    """Return the figures in a file, or at the address of a local endpoint.

    Raises:
        SlipwayError: it cannot be read, or has no figures of loads and requests.
    """
    document = _read(source)
    if isinstance(document.get("endpoints"), dict):
        return _of_state(document["endpoints"], endpoint, source)
    if isinstance(document.get("results"), dict):
        return _of_loadtest(document["results"], source)
    raise SlipwayError("neither an endpoint's state nor a load test", where=source, fix=FIX)


def _read(source: str) -> dict[str, Any]:
    try:
        if source.startswith(("http://", "https://")):
            url = source if source.rstrip("/").endswith("/state") else f"{source.rstrip('/')}/state"
            with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:
                text = answer.read(MOST_BYTES)
        else:
            text = Path(source).read_bytes()
        document = json.loads(text)
    except (OSError, ValueError, urllib.error.URLError) as error:
        raise SlipwayError(f"cannot be read: {error}", where=source, fix=FIX) from error
    if not isinstance(document, dict):
        raise SlipwayError("neither an endpoint's state nor a load test", where=source, fix=FIX)
    return document


def _of_state(endpoints: dict[str, Any], name: str, source: str) -> Measured:
    if name not in endpoints:
        fix = f"--endpoint {' or '.join(sorted(endpoints))}" if endpoints else FIX
        raise SlipwayError(f"it has no endpoint {name!r}", where=source, fix=fix)
    try:
        times = {
            key: measured([float(value) for value in values])
            for key, values in endpoints[name]["timings"].items()
            if values
        }
        models = endpoints[name]["models"]
        sizes = {
            key: measured([float(model[key]) for model in models if model[key]])
            for key in ("memory", "disk")
            if any(model[key] for model in models)
        }
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SlipwayError(f"no timings: {error!r}", where=source, fix=FIX) from error
    if "load" not in times or "serve" not in times:
        raise SlipwayError("nothing was loaded and asked twice", where=source, fix=FIX)
    return Measured(times, sizes)


def _of_loadtest(results: dict[str, Any], source: str) -> Measured:
    """Take first loads as loads (a download and an answer included), and the median of the slowest
    rate as the time of a request."""
    try:
        first = results["first_loads"]
        loads = [each["seconds"] for each in first if each["seconds"] and each["cold"] is not False]
        medians = [each["warm"]["p50"] for each in results["stages"] if each["warm"]["p50"]]
        times = {"load": measured([float(each) for each in loads])} if loads else {}
        if medians:
            times["serve"] = measured([float(medians[0])])
    except (KeyError, TypeError, ValueError) as error:
        raise SlipwayError(f"not a load test's report: {error!r}", where=source, fix=FIX) from error
    if not times:
        raise SlipwayError("it measured neither loads nor requests", where=source, fix=FIX)
    return Measured(times)
