"""``slipway endpoint``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from slipway.cli.endpoint.access_options import AccessOptions, access_lines, access_options
from slipway.cli.endpoint.warm import warm
from slipway.cli.options import Size, stage_option

if TYPE_CHECKING:
    from slipway.endpoint.access.opening import Opening
    from slipway.settings import EndpointSettings, Settings

# the value of --capture without one: no folder has this name
STORE = ""


@click.group()
def endpoint() -> None:
    """Serve a multi-model endpoint on this machine.

    It answers like one of SageMaker.

    Example: slipway endpoint up
    """


endpoint.add_command(warm)


@endpoint.command()
@click.option(
    "--endpoint",
    "names",
    multiple=True,
    default=("local",),
    show_default=True,
    help="Endpoint name from slipway.toml, or local, staging, production; may be repeated.",
)
@click.option("--port", default=8090, show_default=True, help="Port; 0: any free one.")
@access_options
@click.option("--models", type=click.IntRange(1), help="Load at most this many models.")
@click.option("--memory", type=Size(), help="Memory of all loaded models, such as 4GiB.")
@click.option("--disk", type=Size(), help="Disk space of extracted artifacts, such as 20GiB.")
@click.option(
    "--cache",
    type=click.Choice(["enabled", "disabled"]),
    help="disabled: unload each model after its invocation and remove its files (SageMaker's"
    " ModelCacheSetting).",
)
@click.option(
    "--allow",
    multiple=True,
    metavar="PATTERN",
    help="Allow only these target models, as IAM's sagemaker:TargetModel would: 'screen_*'.",
)
@click.option(
    "--largest-body",
    type=Size(),
    help="Largest request; AWS's pages say 6 MiB (the default here) and 25MB.",
)
@click.option(
    "--capture",
    is_flag=False,
    flag_value=STORE,
    metavar="[LOCATION]",
    help="Keep requests and answers: below captured/ in the release store, or in this folder or"
    " s3://bucket.",
)
@click.option(
    "--capture-sample",
    type=click.FloatRange(0, 1, min_open=True),
    metavar="SHARE",
    help="Share of the requests that is kept, such as 0.1; default: all of them.",
)
@click.option("--store", help="Serve this release store: a folder, or s3://bucket.")
@stage_option("Serve this stage of the store.")
@click.option(
    "--warm",
    "warmed",
    multiple=True,
    metavar="NAME",
    help="Load what this name's alias serves before the endpoint is up; may be repeated.",
)
@click.option("--detach", is_flag=True, help="Serve in the background; return once it answers.")
@click.option(
    "--wait",
    type=click.FloatRange(1),
    default=120.0,
    show_default=True,
    metavar="SECONDS",
    help="With --detach: stop it if it does not answer by then.",
)
@click.option(
    "--base-environment",
    metavar="IMAGE",
    help="Have the execution environments of this image, and no others: oci:PATH[:NAME], or"
    " docker://HOST/NAME:TAG; by default those that slipway.toml says.",
)
@click.option(
    "--shared-machine",
    is_flag=True,
    help="Serve even if this machine's other users can reach Triton's port, and run code as you.",
)
def up(
    names: tuple[str, ...],
    port: int,
    detach: bool,
    wait: float,
    base_environment: str | None,
    shared_machine: bool,
    warmed: tuple[str, ...],
    **options: Any,
) -> None:
    """Serve a release store as a multi-model endpoint until Ctrl-C.

    An unmodified boto3 client invokes it: boto3.client("sagemaker-runtime",
    endpoint_url="http://127.0.0.1:8090"); so do curl and the AWS command line.

    \b
    Example: slipway endpoint up --models 4 --allow 'screen_*'
      slipway endpoint up --listen 0.0.0.0 --tokens
      slipway endpoint up --credentials callers.ini --role Invoker
    """
    import asyncio

    from slipway import settings
    from slipway.extras import require
    from slipway.server import network
    from slipway.server.source import find_server

    require("endpoint")
    import uvloop

    configured = settings.load(Path.cwd())
    access = AccessOptions.taken_from(options)
    overrides = {key: value for key, value in options.items() if value not in (None, ())}
    if options["capture"] == STORE:
        overrides["capture"] = True
    entries = [replace(configured.endpoint(name), **overrides) for name in dict.fromkeys(names)]
    opening = access.opening(configured, entries)
    if not shared_machine:
        # a machine that only serves containers needs no Triton
        has_models = any(not configured.endpoint(name).containers for name in names)
        network.reject_shared_network(find_server(configured).kind if has_models else "path")
    if base_environment is not None:
        configured = _with_environments(configured, base_environment)
    if detach:
        from slipway.cli.progress import working
        from slipway.endpoint import detached

        with working("starting the endpoint"):
            arguments = _arguments(names, port, options) + access.arguments()
            arguments += ["--shared-machine"] if shared_machine else []
            arguments += [f"--warm={name}" for name in warmed]
            arguments += [f"--base-environment={base_environment}"] if base_environment else []
            url = detached.start(configured.root, names, arguments, wait)
        stop = " ".join(f"--endpoint {name}" for name in dict.fromkeys(names))
        click.echo(
            f"{', '.join(dict.fromkeys(names))}: {url}\nstop it: slipway endpoint down {stop}"
        )
        return
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(configured, entries, port, opening, warmed))


@endpoint.command()
@click.option(
    "--endpoint",
    "names",
    multiple=True,
    default=("local",),
    show_default=True,
    help="The endpoint to stop; may be repeated.",
)
def down(names: tuple[str, ...]) -> None:
    """Stop endpoints that run on this machine.

    Example: slipway endpoint down
    """
    from slipway import settings
    from slipway.endpoint import detached

    detached.stop(settings.load(Path.cwd()).root, names)
    click.echo(f"{', '.join(names)}: stopped")


def _with_environments(configured: Settings, image: str) -> Settings:
    """Return the settings of a server whose image is the given one."""
    from slipway.cli.progress import working
    from slipway.image.base import open_base
    from slipway.image.base_environment import unpack_environments
    from slipway.image.references import parse_base

    with working("unpacking the image's environments"):
        base = open_base(parse_base(image), configured)
        return replace(configured, served_environments=unpack_environments(base))


def _arguments(names: tuple[str, ...], port: int, options: Mapping[str, Any]) -> list[str]:
    """Return the command line that gives these parameters."""
    arguments = [f"--port={port}", *(f"--endpoint={name}" for name in names)]
    for key, value in options.items():
        values = value if isinstance(value, tuple) else () if value is None else (value,)
        arguments += [f"--{key.replace('_', '-')}={item}" for item in values]
    return arguments


async def _serve(
    configured: Settings,
    entries: list[EndpointSettings],
    port: int,
    opening: Opening,
    warmed: tuple[str, ...],
) -> None:
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
            served = await stack.enter_async_context(
                serving.serve(configured, entries, port=port, opening=opening)
            )
        if warmed:
            from slipway.endpoint.warm import load_named

            with working(f"loading {', '.join(warmed)}"):
                for line in await load_named(configured, entries, served, warmed):
                    click.echo(line)
        asks = opening.guard.kinds if opening.guard else []
        names = list(served.endpoints)
        stack.enter_context(registry.register(configured.root, names, served.url, asks))
        click.echo(console.greeting(served))
        for line in access_lines(configured.root, served.url, opening):
            click.echo(line)
        await console.print_events(served, click.echo, stopping)
        click.echo("\nstopping")
    for line in console.describe_captures(served):
        click.echo(line)
