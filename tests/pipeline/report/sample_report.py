"""An invented report with something in every part; its names and texts try to break the markup."""

from __future__ import annotations

from slipway.artifact.diff import Change
from slipway.catalog.origin import Origin
from slipway.loadtest.compare import Comparison, Ratio
from slipway.loadtest.latencies import Latencies
from slipway.pipeline.report.build import CurrentRelease, ModelReport, Report
from slipway.pipeline.report.facts import Findings, ProposedVersion, Size, TrainingFacts
from slipway.pipeline.report.measure import Latency, Loads, TritonMeasurement
from slipway.pipeline.report.outputs import Label, Outputs, TensorDifference
from slipway.release.evaluation.evaluation import MetricComparison
from slipway.release.evidence.test_result import TestResult
from slipway.training.run import Compared, TrainingRun

EVIL = '<img src=x onerror="alert(1)">|`@all`'
DIFF = f"--- a/m/config.pbtxt\n+++ b/m/config.pbtxt\n@@ -1 +1 @@\n-old ```\n+new {EVIL}"
SLOWER = Ratio(0.010, 0.012, 1.2, 1.1, 1.3)
EVEN = Ratio(0.020, 0.021, 1.05, 0.9, 1.2)


def measured(compared: bool = True) -> TritonMeasurement:
    """Return a measurement slower than production, with other answers."""
    comparison = Comparison(40, 20, 0.95, SLOWER, EVEN) if compared else None
    now = Latencies(800, 0.013, 0.012, 0.015, 0.021, 0.03)
    was = Latencies(800, 0.011, 0.010, 0.013, 0.020, 0.03)
    return TritonMeasurement(
        Loads((2.0, 2.1, 2.2), (1.0, 1.1, 1.2) if compared else ()),
        Latency(("photograph",), now, was if compared else None, comparison),
        (
            Outputs(
                7,
                (
                    TensorDifference("SCORE", "FP32", 8, 6, 0.25, "photograph"),
                    TensorDifference(EVIL, "BYTES", 8, 1, None, EVIL),
                    TensorDifference("NEW", "FP32", 0, 0, None, None, "is new"),
                ),
                (Label(EVIL, "LABEL[0, 0]", "document", EVIL),),
                3,
                (f"{EVIL}: outputs → error {EVIL!r}",),
            )
            if compared
            else None
        ),
        (f"without a GPU, {EVIL}",),
    )


def training() -> TrainingFacts:
    """Return a training on other rows and with another rate than production's."""
    run = TrainingRun(
        id=f"m-20261130t234000z-0a1b2c {EVIL}",
        model="m",
        place="sagemaker",
        commit="7" * 40,
        dirty=True,
        started="2026-11-30T23:40:00Z",
        seconds=35.2,
        lock_sha256="1" * 64,
        stages=(),
        compared=Compared("1.0.0", {}, "better"),
    )
    return TrainingFacts(
        run,
        tuple(f"models/m/training/{EVIL}{number}.csv" for number in range(7)),
        "m-20261101t000000z-ffffff",
        (
            Change("training", "parameter train.rate", "0.1", "0.2"),
            Change("training", f"data models/m/training/{EVIL}.csv", "4e8c4b921ad0", None),
        ),
        (f"{EVIL} is not from the recorded training",),
    )


def full(name: str = EVIL) -> ModelReport:
    """Return the report of a change to ``name``."""
    return ModelReport(
        name=name,
        version="1.0.1",
        target=f"{name}_1.0.1-rc.hc0ffee.tar.gz",
        sha256="0" * 64,
        served=CurrentRelease(
            "1.0.0",
            f"{name}_1.0.0.tar.gz",
            "1" * 64,
            "beef",
            "2026-01-01T00:00:00Z",
            Size(30_000_000, 100_000_000, 90_000_000, 2_000_000),
        ),
        proposed=ProposedVersion(
            "major", "2.0.0", (f"major: output {EVIL} is gone", "patch: code x")
        ),
        size=Size(45_000_000, 150_000_000, 140_000_000, 2_000_000),
        changes=(
            Change("packages", EVIL, "1.0 (pip)", None),
            Change("config", "m/config.pbtxt", None, None, DIFF),
        ),
        commits=(f"c0ffee1 {EVIL}", "1. not a list", "- nor this", "# nor a heading"),
        measured=measured(),
        metrics=(
            MetricComparison(
                "auc", 0.9, 0.95, {"better": "higher"}, "refused", "0.9, production has 0.95"
            ),
            MetricComparison(EVIL, 1.0, None, None, "new"),
            MetricComparison("same", 1.0, 1.0, None, "same"),
        ),
        notes=(EVIL,),
        findings=Findings(1, 2, (f"models/m/config.pbtxt:3: error SW101: {EVIL}",)),
        tested=TestResult(False, 19, 2, "2026-01-01T00:00:00Z", reason=EVIL, failed=("a", EVIL)),
        training=training(),
        tries=(("shell", f"slipway invoke {name}"), ("python", "import boto3")),
        problems={"check": f"this broke: {EVIL}"},
    )


def report(*models: ModelReport) -> Report:
    """Return a report of ``models``; by default of one with everything, a failed and a new one."""
    models_or_default = models or (
        full(),
        ModelReport("broken", problems={"artifact": f"models/broken: {EVIL}"}, failed=True),
        ModelReport(
            "fresh",
            version="0.1.0",
            target="fresh_0.1.0-rc.hc0ffee.tar.gz",
            size=Size(1000, 2000, 0, 0),
            measured=measured(compared=False),
            findings=Findings(0, 0, ()),
            tested=TestResult(True, 3, 0, "2026-01-01T00:00:00Z"),
        ),
    )
    return Report(
        models_or_default,
        ("one", EVIL),
        (f"gone {EVIL}",),
        Origin("c0ffee", None, EVIL),
        "Triton 2.51.0",
    )
