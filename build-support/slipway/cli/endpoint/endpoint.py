"""``slipway endpoint``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from slipway import settings
from slipway.settings import Endpoint, Settings, size


class _Size(click.ParamType[int]):
    name = "size"

    def convert(self, value: Any, parameter: Any, context: Any) -> int:
        try:
            return size(value)
        except ValueError as error:
            self.fail(str(error), parameter, context)


@click.group()
def endpoint() -> None:
    """A SageMaker multi-model endpoint on this machine.

    Example: slipway endpoint up
    """


@endpoint.command()
@click.option(
    "--endpoint",
    "names",
    multiple=True,
    default=("local",),
    show_default=True,
    help="An endpoint of slipway.toml, or local, staging, production; may be given several times.",
)
@click.option("--port", default=8090, show_default=True, help="On loopback; 0: any free one.")
@click.option("--models", type=click.IntRange(1), help="How many models are loaded at most.")
@click.option("--memory", type=_Size(), help="Of all models, such as 4GiB.")
@click.option("--disk", type=_Size(), help="For extracted artifacts, such as 20GiB.")
@click.option(
    "--cache",
    type=click.Choice(["enabled", "disabled"]),
    help="disabled: unload each model after its invocation (SageMaker's ModelCacheSetting).",
)
@click.option(
    "--allow",
    multiple=True,
    metavar="PATTERN",
    help="Allow only target models like this, as IAM's sagemaker:TargetModel would: 'screen_*'.",
)
@click.option("--store", help="Another release store than slipway.toml's: a folder, s3://bucket.")
@click.option("--stage", type=click.Choice(["staging", "production"]), help="What of it to serve.")
def up(names: tuple[str, ...], port: int, **options: Any) -> None:
    """Serve the release store as a multi-model endpoint until Ctrl-C.

    An unmodified boto3 client invokes it: boto3.client("sagemaker-runtime",
    endpoint_url="http://127.0.0.1:8090"); so do curl and the AWS command line.

    Example: slipway endpoint up --models 4 --allow 'screen_*'
    """
    import asyncio

    import uvloop

    configured = settings.load(Path.cwd())
    chosen = {key: value for key, value in options.items() if value not in (None, ())}
    wanted = [replace(configured.endpoint(name), **chosen) for name in dict.fromkeys(names)]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(configured, wanted, port))


async def _serve(configured: Settings, wanted: list[Endpoint], port: int) -> None:
    import asyncio
    import contextlib
    import signal

    from slipway.cli.progress import working
    from slipway.endpoint import console, registry, serving

    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    async with contextlib.AsyncExitStack() as stack:
        with working("starting Triton"):
            served = await stack.enter_async_context(serving.serve(configured, wanted, port=port))
        stack.enter_context(registry.register(configured.root, list(served.endpoints), served.url))
        click.echo(console.greeting(served))
        await console.print_events(served, click.echo, ended)
        click.echo("\nending")
