"""Connections to a server in a network of its own, which is entered through a folder."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
from aiohttp.client_proto import ResponseHandler

from slipway.server import network

if TYPE_CHECKING:
    from aiohttp import ClientRequest, ClientTimeout
    from aiohttp.tracing import Trace


class EntranceConnector(aiohttp.BaseConnector):
    """Connect to the server of the folder ``entrance``, whatever host a request names."""

    def __init__(self, entrance: Path) -> None:
        super().__init__(limit=0)
        self._entrance = entrance

    async def _create_connection(
        self, req: ClientRequest, traces: list[Trace], timeout: ClientTimeout
    ) -> ResponseHandler:
        loop = asyncio.get_running_loop()
        connected = await asyncio.to_thread(network.connect, self._entrance)
        _, protocol = await loop.create_connection(
            lambda: ResponseHandler(loop=loop), sock=connected
        )
        return protocol
