"""An endpoint, and the models on it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from slipway import settings as configuration
from slipway.catalog.reader import CatalogReader
from slipway.client.container import Container
from slipway.client.counters import Counters, NoCounters
from slipway.client.model import Model
from slipway.client.open_runtime import open_runtime
from slipway.client.routes import Routes
from slipway.client.shadow import ShadowQueue
from slipway.model.interface import Interface
from slipway.settings import Settings
from slipway.store.open_reader import open_endpoint

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from slipway.client.capture import ClientCapture

# s; a model's first load may take SageMaker six minutes, which few callers want to wait
DEADLINE_S = 120.0


class Endpoint:
    """A SageMaker multi-model endpoint: the one in AWS, or the one of ``slipway endpoint up`` here.

    ``name`` is one of slipway.toml's: ``local``, ``staging``, ``production`` or
    ``[endpoint.<name>]``. slipway.toml is looked for from the working folder upwards, unless
    ``settings`` are given: those of a repository, or, in an application without one, those of the
    endpoint itself::

        settings.EndpointSettings("production", endpoint_name="models", region="eu-west-1",
                          stage="production", store="s3://releases")

    ``url`` is that of an endpoint of ``slipway endpoint up`` which runs elsewhere. Where that asks
    for a ``token``, it is by default the one of the variable ``SLIPWAY_TOKEN``; AWS gets none.
    ``store`` is the release store whose catalog holds the aliases, by default the endpoint's.
    ``deadline_s``: no attempt of an invocation begins later; one that has begun may take 70 s.
    ``registry`` collects the metrics of :class:`~slipway.client.metrics.PrometheusCounters`, by
    default one of the endpoint's own. Without the package prometheus-client nothing is counted.

    With ``capture``, requests and answers are kept, those of shadows included: ``True`` in the
    release store, or where the endpoint's ``capture`` in slipway.toml says; a text is the location
    itself, a folder or ``s3://bucket``. ``capture_sample`` is the share that is kept, by default
    the endpoint's. An endpoint of ``slipway endpoint up --capture`` does it itself. Requests with
    ``is_probe``, as explanations and tests of the endpoint send, are no traffic, and not captured.

    Safe to use from several threads. Create one and reuse it: it keeps its connections open.

    Raises:
        SlipwayError: the endpoint is not configured, or not running; the store's location is of
            an unknown kind.
    """

    def __init__(
        self,
        name: str = "local",
        *,
        settings: Settings | configuration.EndpointSettings | None = None,
        url: str | None = None,
        token: str | None = None,
        store: str | None = None,
        deadline_s: float = DEADLINE_S,
        registry: CollectorRegistry | None = None,
        capture: bool | str = False,
        capture_sample: float | None = None,
        is_probe: bool = False,
    ) -> None:
        if isinstance(settings, configuration.EndpointSettings):
            repository, entry = Settings(Path.cwd()), settings
        else:
            repository = settings or configuration.load(Path.cwd())
            entry = repository.endpoint(name)
        if store is not None:
            entry = replace(entry, store=store)
        self.catalog = CatalogReader(open_endpoint(repository, entry))
        self._mode = entry.mode
        self._runtime = open_runtime(entry, repository.root, url, token, is_probe=is_probe)
        self._counters = _counters(registry)
        self._shadows = ShadowQueue()
        self._deadline_s = deadline_s
        self._capture: ClientCapture | None = None
        if capture:
            from slipway.client.capture import open_capture  # not for those that do not capture

            self._capture = open_capture(
                repository, entry, capture, capture_sample, self.catalog, self._runtime.name
            )
            self._counters.watch_captures(self._capture.counts)

    def model(
        self, name: str, *, target: str | None = None, expected: Interface | None = None
    ) -> Model:
        """Return the model ``name``: the release that its alias selects at each call, or always
        ``target``. ``expected`` is the interface that a generated client was generated for.

        Nothing is read or sent before the first prediction.
        """
        return Model(
            Routes(self.catalog, name, target),
            self._runtime,
            self._counters,
            self._shadows,
            capture=self._capture,
            deadline_s=self._deadline_s,
            expected=expected,
        )

    def container(self, name: str, *, target: str | None = None) -> Container:
        """Return the model ``name`` that a container of this endpoint serves: the release that its
        alias selects at each call, or always ``target``.

        On an endpoint whose mode is serial, every request goes through all containers.
        """
        return Container(
            Routes(self.catalog, name, target),
            self._runtime,
            self._counters,
            self._shadows,
            capture=self._capture,
            is_serial=self._mode == "serial",
            deadline_s=self._deadline_s,
        )

    def metrics(self) -> str:
        """Return the counters in Prometheus's text format.

        Raises:
            SlipwayError: prometheus-client is not installed.
        """
        return self._counters.text()

    def close(self) -> None:
        """Wait for the shadows that were invoked, write what was captured, and close the
        connections."""
        self._shadows.close()
        self._runtime.close()
        if self._capture is not None:
            self._capture.close()

    def __enter__(self) -> Endpoint:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _counters(registry: CollectorRegistry | None) -> Counters:
    try:
        from slipway.client.metrics import PrometheusCounters
    except ImportError:  # an extra of slipway-client
        return NoCounters()
    return PrometheusCounters(registry)
