"""A store with recorded releases of small models, and endpoints in front of it."""

from __future__ import annotations

import hashlib
import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from slipway.artifact.manifest import Manifest
from slipway.catalog import keys
from slipway.catalog.alias import Alias, Variant
from slipway.catalog.origin import Origin
from slipway.catalog.record import Record
from slipway.endpoint import serving
from slipway.endpoint.serving import RunningEndpoints
from slipway.model.config_interface import interface_of_config
from slipway.model.interface import Interface
from slipway.settings import EndpointSettings, Settings
from slipway.settings.release import StageName
from slipway.triton import config
from tests import fixture_models

STAGE: StageName = "staging"


class Shop:
    """A folder of releases; ``root`` is a repository whose slipway.toml names it."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "repository"
        self.folder = folder / "releases"
        self._work = folder / "work"
        self.root.mkdir(parents=True)
        (self.root / "slipway.toml").write_text(
            f"[endpoint.local]\nstore = {json.dumps(str(self.folder))}\n", encoding="utf-8"
        )

    def publish(self, model: str, version: str, changed: Mapping[str, str] | None = None) -> str:
        """Publish a fixture model, with texts of its program ``changed``; returns its target."""
        target = f"{model}_{version}.tar.gz"
        folder = fixture_models.copy(model, self._work / version)
        program = folder / model / "1" / "model.py"
        for text, other in (changed or {}).items():
            source = program.read_text(encoding="utf-8")
            assert text in source
            program.write_text(source.replace(text, other), encoding="utf-8")
        artifact = fixture_models.pack(folder, self.folder / keys.artifact(STAGE, target))
        text = (folder / model / config.FILE_NAME).read_text(encoding="utf-8")
        interface = interface_of_config(config.parse_config(text, where=model))
        self.record(model, version, interface, artifact.read_bytes())
        return target

    def record(self, name: str, version: str, interface: Interface, artifact: bytes) -> str:
        """Write a release's record, and its artifact if it is not there; returns its target."""
        target, sha256 = f"{name}_{version}.tar.gz", hashlib.sha256(artifact).hexdigest()
        manifest = Manifest(name, version, name, {}, {}, None, "")
        when = "2026-01-01T00:00:00Z"
        record = Record(
            manifest, target, sha256, when, Origin(), interface=interface, size=len(artifact)
        )
        self.write(keys.record(STAGE, name, target), record.dump())
        if not (self.folder / keys.artifact(STAGE, target)).exists():
            self.write(keys.artifact(STAGE, target), artifact)
        return target

    def alias(self, name: str, target: str, shadow: str | None = None) -> None:
        """Let ``name`` lead to ``target``."""
        self.write(keys.alias(STAGE, name), Alias((Variant(target, 1),), shadow).dump())

    def write(self, key: str, data: bytes) -> None:
        """Write any key."""
        path = self.folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def entry(self, name: str = "local", **more: Any) -> EndpointSettings:
        """An endpoint of this store."""
        return EndpointSettings(name, store=str(self.folder), **more)

    @contextmanager
    def up(self, *entries: EndpointSettings, **more: Any) -> Iterator[RunningEndpoints]:
        """Serve the store until the block ends."""
        settings = Settings(root=self.root)
        with serving.serve_in_thread(settings, entries or [self.entry()], **more) as served:
            yield served


class Asked:
    """What the page's API answered: the status, and the JSON."""

    def __init__(
        self,
        url: str,
        operation: str,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        sent = {"X-Slipway-Page": "1", "Content-Type": "application/json"} | dict(headers or {})
        data = None if body is None else json.dumps(body).encode()
        given = {name: value for name, value in sent.items() if value}
        request = urllib.request.Request(f"{url}/playground/{operation}", data, given)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                self.status, self.text = answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            self.status, self.text = error.code, error.read().decode()
        self.json: dict[str, Any] = json.loads(self.text)


def typed(value: str) -> dict[str, str]:
    """A value that was typed as JSON or a number."""
    return {"kind": "json", "value": value}


def text(value: str) -> dict[str, str]:
    """A text as it is."""
    return {"kind": "text", "value": value}
