"""A base that somebody else wrote: whatever its JSON holds, the answer is an image or an error."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from slipway.errors import SlipwayError
from slipway.image.base import open_base
from slipway.image.image import make_image
from slipway.image.layout import CONFIG_TYPE, INDEX_TYPE, MANIFEST_TYPE, Layout, dump
from slipway.image.references import InLayout
from tests.image.bases import tiny_base
from tests.image.made import ORIGIN, read_model, repository
from tests.release.sample_releases import write_artifact

WRONG: tuple[Any, ...] = (None, [], {}, "x", 7, [7], {"a": 7}, "sha256:../../../../etc/passwd")


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    keys = (
        value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    )
    for key in keys:
        yield from places(value[key], (*path, key))


def changed(value: Any, path: tuple[Any, ...], wrong: Any) -> Any:
    result = copy.deepcopy(value)
    inner = result
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = wrong
    return result


def test_no_json_of_a_base_is_more_than_an_error(tmp_path: Path) -> None:
    settings = repository(tmp_path)
    model = read_model(write_artifact(tmp_path / "dist"))
    layout = Layout(tiny_base(tmp_path / "base", Labels={"a": "b"}, Entrypoint=["/bin/sh"]))
    manifest = layout.read_json(layout.find("base"))
    config = layout.read_json(manifest["config"])
    index = json.loads((layout.root / "index.json").read_bytes())
    refused = made = 0
    for kind, document in (("manifest", manifest), ("config", config), ("index", index)):
        for path in places(document):
            for wrong in WRONG:
                mutant = changed(document, path, wrong)
                if kind == "index":
                    (layout.root / "index.json").write_bytes(dump(mutant))
                else:
                    put(layout, mutant if kind == "manifest" else manifest,
                        mutant if kind == "config" else None)  # fmt: skip
                try:
                    base = open_base(InLayout(layout.root, None), settings)
                    make_image(Layout(tmp_path / "images"), "i", [model], base, settings, ORIGIN)
                    made += 1
                except SlipwayError as error:
                    assert error.fix
                    refused += 1
    assert refused > made > 0


def put(layout: Layout, manifest: Any, config: Any) -> None:
    if config is not None:
        manifest = {**manifest, "config": layout.put(dump(config), CONFIG_TYPE)}
    image = layout.put(dump(manifest), MANIFEST_TYPE)
    index = {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": [image]}
    (layout.root / "index.json").write_bytes(dump(index))


@pytest.mark.parametrize("text", ["", "[]", "{", '{"manifests": 7}', '{"manifests": [7]}'])
def test_an_index_of_another_form_is_an_error(tmp_path: Path, text: str) -> None:
    root = tiny_base(tmp_path / "base")
    (root / "index.json").write_text(text)
    with pytest.raises(SlipwayError):
        open_base(InLayout(root, None), repository(tmp_path))
