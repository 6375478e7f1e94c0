"""What a PMML file tells before it is parsed: its version, its model, who wrote it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from slipway.errors import SlipwayError
from slipway.formats.contents import Contents

NEWEST = (4, 4)
ROOT = re.compile(rb"<PMML\b([^>]*)>")
VERSION = re.compile(rb"\bversion\s*=\s*[\"'](\d+)\.(\d+)")
WRITER = re.compile(rb"<Application\b[^>]*\bname\s*=\s*[\"']([^\"']*)")
MODEL = re.compile(
    rb"<(AnomalyDetectionModel|AssociationModel|BaselineModel|BayesianNetworkModel|ClusteringModel|"
    rb"GaussianProcessModel|GeneralRegressionModel|MiningModel|NaiveBayesModel|"
    rb"NearestNeighborModel|NeuralNetwork|RegressionModel|RuleSetModel|Scorecard|SequenceModel|"
    rb"SupportVectorMachineModel|TextModel|TimeSeriesModel|TreeModel)\b"
)
END = re.compile(rb"</PMML\s*>\s*(?:<!--.*?-->\s*)*\Z", re.DOTALL)
TAIL = 4096  # bytes
MODEL_LIMIT = 4 << 20  # bytes in which the model's element is looked for


@dataclass(frozen=True)
class Facts:
    """``model`` is the name of the model's element, such as TreeModel."""

    version: str
    model: str
    writer: str


def read_facts(contents: Contents) -> Facts | None:
    """Return what the file tells; ``None`` if it is not PMML.

    Raises:
        SlipwayError: it is, but truncated, of a version that is not known, without a model, or
            with a document type, which may name files to read.
    """
    root = ROOT.search(contents.head)
    if root is None:
        return None
    before = contents.head[: root.start()].lstrip(b"\xef\xbb\xbf \r\n\t")
    if before and not before.startswith(b"<"):
        return None
    where = str(contents.path)
    if b"<!DOCTYPE" in contents.head or b"<!ENTITY" in contents.head:
        raise SlipwayError(
            "a PMML file with a document type, which may name files and addresses to read",
            where=where,
            fix="remove the <!DOCTYPE …> lines: PMML has a schema and needs none",
        )
    with contents.path.open("rb") as file:
        start = file.read(MODEL_LIMIT)
        file.seek(max(0, contents.path.stat().st_size - TAIL))
        tail = file.read()
    if not END.search(tail):
        raise SlipwayError(
            "a PMML file without its end, </PMML>: it is truncated",
            where=where,
            fix="copy the whole file again, or export it again",
        )
    version = VERSION.search(root[1])
    number = (int(version[1]), int(version[2])) if version else (0, 0)
    if number > NEWEST:
        raise SlipwayError(
            f"PMML {number[0]}.{number[1]}, newer than {NEWEST[0]}.{NEWEST[1]}, the last known",
            where=where,
            fix="export it as PMML 4.4",
        )
    model = MODEL.search(start)
    if model is None:
        raise SlipwayError(
            "a PMML file without a model", where=where, fix="export the model, not only its data"
        )
    writer = WRITER.search(contents.head)
    return Facts(
        f"{number[0]}.{number[1]}",
        model[1].decode(),
        writer[1].decode("utf-8", "replace") if writer else "",
    )
