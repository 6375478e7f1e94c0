"""Equal models have equal bytes, whatever order and addresses their framework had that day."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

from slipway.formats.sklearn.canonical import number_objects


def archive(file: Path, addresses: tuple[int, int]) -> Path:
    """Write what skops writes of two objects: one array of its own file, one number."""
    first, second = addresses
    schema = {
        "content": {
            "weights": {"__id__": first, "file": f"{first}.npy"},
            "count": {"__id__": second, "content": str(second)},
            "again": {"__id__": first},
        }
    }
    with zipfile.ZipFile(file, "w") as written:
        written.writestr(f"{first}.npy", b"weights")
        written.writestr("schema.json", json.dumps(schema))
    return file


def test_objects_of_skops_are_numbered_instead_of_named_by_their_addresses(tmp_path: Path) -> None:
    files = [archive(tmp_path / name, ids) for name, ids in [("a", (7001, 42)), ("b", (81, 9))]]
    for file in files:
        number_objects(file)

    with zipfile.ZipFile(files[0]) as archive_of_first:
        assert archive_of_first.namelist() == ["0.npy", "schema.json"]
        schema = json.loads(archive_of_first.read("schema.json"))["content"]
    assert schema["weights"] == {"__id__": 0, "file": "0.npy"}
    assert schema["count"] == {"__id__": 1, "content": "42"}  # a value, not an address
    assert schema["again"] == {"__id__": 0}
