"""Run py-rattler in a process of its own: JSON request on stdin, JSON reply on stdout.

A process that has used rattler's runtime may crash while Python shuts down
(https://github.com/PyO3/pyo3-async-runtimes/issues/40); this one exits without shutting down.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import rattler
from rattler.index import index_fs

ENVIRONMENT = "default"  # rattler's and pixi's name for the only environment of a lock


async def solve(request: dict[str, Any]) -> dict[str, Any]:
    """Write a ``lock`` of the packages that ``spec`` needs on ``platform``, from ``channels``."""
    virtual = [
        rattler.GenericVirtualPackage(
            rattler.PackageName(name), rattler.Version(version), rattler.BuildString("0")
        )
        for name, version in request["virtual_packages"].items()
    ]
    records = await rattler.solve(
        request["channels"],
        [request["spec"]],
        gateway=rattler.Gateway(cache_dir=request["cache"]),
        platforms=[rattler.Subdir(request["platform"]), rattler.Subdir("noarch")],
        virtual_packages=virtual,
    )
    target = rattler.LockPlatform(request["platform"])
    lock = rattler.LockFile([target])
    lock.set_channels(ENVIRONMENT, [rattler.LockChannel(name) for name in request["channels"]])
    for record in records:
        lock.add_conda_package(ENVIRONMENT, target, record)
    lock.to_path(request["lock"])
    return {}


async def install(request: dict[str, Any]) -> dict[str, Any]:
    """Link the packages of ``lock`` for ``platform`` into ``prefix``, without running scripts."""
    environment = rattler.LockFile.from_path(request["lock"]).environment(ENVIRONMENT)
    by_platform = environment.conda_repodata_records() if environment else {}
    records = by_platform.get(request["platform"])
    if not records:
        raise ValueError(f"it lists nothing for {request['platform']}")
    await rattler.install(
        records,
        request["prefix"],
        cache_dir=request["cache"],
        installed_packages=[],
        platform=rattler.Subdir(request["platform"]),
        execute_link_scripts=False,
        show_progress=False,
    )
    packages = [
        {
            "name": record.name.normalized,
            "version": str(record.version),
            "channel": record.channel or "",
            "file": record.file_name,
        }
        for record in records
    ]
    return {"packages": packages}


async def index(request: dict[str, Any]) -> dict[str, Any]:
    """Write the ``repodata.json`` files of the channel in ``folder``."""
    await index_fs(Path(request["folder"]), write_zst=False, write_shards=False)
    return {}


TASKS = {"solve": solve, "install": install, "index": index}


def main() -> None:
    """Run the requested task and print its reply."""
    request = json.load(sys.stdin)
    try:
        reply = asyncio.run(TASKS[request["task"]](request))
    except Exception as error:  # rattler raises bare exceptions too; the caller reports them all
        reply = {
            "error": str(error) or type(error).__name__,
            "unreachable": "error sending request" in str(error),
        }
    print(json.dumps(reply), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
