"""``slipway endpoint``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from slipway.cli.options import Size, stage_option

if TYPE_CHECKING:
    from slipway.settings import EndpointSettings, Settings


@click.group()
def endpoint() -> None:
    """Serve a multi-model endpoint on this machine.

    It answers like one of SageMaker.

    Example: slipway endpoint up
    """


@endpoint.command()
@click.option(
    "--endpoint",
    "names",
    multiple=True,
    default=("local",),
    show_default=True,
    help="Endpoint name from slipway.toml, or local, staging, production; may be repeated.",
)
@click.option("--port", default=8090, show_default=True, help="Port on loopback; 0: any free port.")
@click.option("--models", type=click.IntRange(1), help="Load at most this many models.")
@click.option("--memory", type=Size(), help="Memory of all loaded models, such as 4GiB.")
@click.option("--disk", type=Size(), help="Disk space of extracted artifacts, such as 20GiB.")
@click.option(
    "--cache",
    type=click.Choice(["enabled", "disabled"]),
    help="disabled: unload each model after its invocation (SageMaker's ModelCacheSetting).",
)
@click.option(
    "--allow",
    multiple=True,
    metavar="PATTERN",
    help="Allow only these target models, as IAM's sagemaker:TargetModel would: 'screen_*'.",
)
@click.option("--store", help="Serve this release store: a folder, or s3://bucket.")
@stage_option("Serve this stage of the store.")
def up(names: tuple[str, ...], port: int, **options: Any) -> None:
    """Serve a release store as a multi-model endpoint until Ctrl-C.

    An unmodified boto3 client invokes it: boto3.client("sagemaker-runtime",
    endpoint_url="http://127.0.0.1:8090"); so do curl and the AWS command line.

    Example: slipway endpoint up --models 4 --allow 'screen_*'
    """
    import asyncio

    from slipway import settings
    from slipway.extras import require

    require("endpoint")
    import uvloop

    configured = settings.load(Path.cwd())
    overrides = {key: value for key, value in options.items() if value not in (None, ())}
    entries = [replace(configured.endpoint(name), **overrides) for name in dict.fromkeys(names)]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(configured, entries, port))


async def _serve(configured: Settings, entries: list[EndpointSettings], port: int) -> None:
    import asyncio
    import contextlib
    import signal

    from slipway.cli.progress import working
    from slipway.endpoint import console, registry, serving

    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    async with contextlib.AsyncExitStack() as stack:
        with working("starting Triton"):
            served = await stack.enter_async_context(serving.serve(configured, entries, port=port))
        stack.enter_context(registry.register(configured.root, list(served.endpoints), served.url))
        click.echo(console.greeting(served))
        await console.print_events(served, click.echo, stopping)
        click.echo("\nstopping")
