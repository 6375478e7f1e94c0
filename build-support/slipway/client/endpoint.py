"""An endpoint, and the models on it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from prometheus_client import CollectorRegistry

from slipway import settings as configuration
from slipway.catalog.catalog import Catalog
from slipway.client import runtime
from slipway.client.metrics import Metrics
from slipway.client.model import Model
from slipway.client.routes import Routes
from slipway.client.shadow import Beside
from slipway.model.interface import Interface
from slipway.settings import Settings
from slipway.store.open import open_endpoint

# s; a model's first load may take SageMaker six minutes, which few callers want to wait
DEADLINE_S = 120.0


class Endpoint:
    """A SageMaker multi-model endpoint: AWS's, or the one that ``slipway endpoint up`` runs here.

    ``name`` is one of slipway.toml's: ``local``, ``staging``, ``production`` or
    ``[endpoint.<name>]``. slipway.toml is looked for from the working folder upwards, unless
    ``settings`` are given: those of a repository, or, in an application that has none, those of the
    endpoint itself::

        settings.Endpoint("production", endpoint_name="models", region="eu-west-1",
                          stage="production", store="s3://releases")

    ``url`` is that of a local endpoint which runs elsewhere on this machine; ``store`` is the
    release store whose catalog says what names stand for, by default the endpoint's.
    ``deadline_s``: no attempt of an invocation begins later; one that has begun may take 70 s.
    ``registry`` collects the metrics (see :class:`slipway.client.metrics.Metrics`); by default the
    endpoint has one of its own.

    Safe to use from several threads; make one and keep it, for it keeps its connections.

    Raises:
        SlipwayError: the endpoint is not configured, or not running; the store's location is of
            a kind that is not known.
    """

    def __init__(
        self,
        name: str = "local",
        *,
        settings: Settings | configuration.Endpoint | None = None,
        url: str | None = None,
        store: str | None = None,
        deadline_s: float = DEADLINE_S,
        registry: CollectorRegistry | None = None,
    ) -> None:
        if isinstance(settings, configuration.Endpoint):
            repository, entry = Settings(Path.cwd()), settings
        else:
            repository = settings or configuration.load(Path.cwd())
            entry = repository.endpoint(name)
        if store is not None:
            entry = replace(entry, store=store)
        reader = open_endpoint(repository, entry)
        self.catalog = Catalog(reader, entry.stage)
        self._runtime = runtime.find(entry, repository.root, url)
        self._metrics = Metrics(registry)
        self._beside = Beside()
        self._deadline_s = deadline_s

    def model(
        self, name: str, *, target: str | None = None, expected: Interface | None = None
    ) -> Model:
        """The model ``name``: whatever its alias stands for at each call, or always the release
        ``target``. ``expected`` is the interface that a generated client was made for.

        Nothing is read or sent before the first prediction.
        """
        return Model(
            Routes(self.catalog, name, target),
            self._runtime,
            self._metrics,
            self._beside,
            deadline_s=self._deadline_s,
            expected=expected,
        )

    def metrics(self) -> str:
        """What was counted, in Prometheus's text format."""
        return self._metrics.text()

    def close(self) -> None:
        """Wait for the shadows that were asked, and close the connections."""
        self._beside.close()
        self._runtime.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
