"""The golden cases of a container, sent to it on an endpoint."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from slipway.client import Container, Endpoint, ModelError
from slipway.errors import SlipwayError
from slipway.server.container.call import ContainerAnswer
from slipway.testing.container import cases


class ContainerRequest:
    """A golden case, to send to a container on an endpoint."""

    note: str | None = None
    unsent = False

    def __init__(self, container: Container, case: Path) -> None:
        self.name = case.name
        self._container = container
        self._case = cases.load_case(case)

    def problems(self) -> tuple[str, ...]:
        """Send the request; return how the answer differs from the expected one.

        Raises:
            SlipwayError: the endpoint did not answer.
        """
        case = self._case
        try:
            reply = self._container.invoke(case.body, case.content_type, accept=case.accept)
            answer = ContainerAnswer(200, reply.content_type, reply.body)
        except ModelError as error:
            answer = ContainerAnswer(error.status, "text/plain", error.message.encode())
        return tuple(cases.differences(case, answer))


def container_requests(endpoint: Endpoint, folder: Path, target: str) -> Iterator[ContainerRequest]:
    """Yield the requests of the model in ``folder``, to its release ``target``.

    Raises:
        SlipwayError: the model has no golden case, or one is malformed.
    """
    found = cases.find_cases(folder)
    if not found:
        raise SlipwayError(
            "no golden case, and a container's request has no known form",
            where=str(folder),
            fix=f"add {folder.name}/tests/cases/NAME/{cases.REQUEST}.json, then slipway test"
            f" {folder.name} --update-golden",
        )
    container = endpoint.container(folder.name, target=target)
    for case in found:
        yield ContainerRequest(container, case)
