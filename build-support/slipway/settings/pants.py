"""What ``[pipeline]`` means for Pants, as the variables that ``./pants`` exports.

Run by ``build-support/launcher/remote_cache.sh`` with any Python 3.12 at each start, so nothing but
the standard library is imported. The options are those of Pants 2.17.
"""

from __future__ import annotations

import os
import re
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

from slipway.errors import SlipwayError
from slipway.settings.remote import WRITE_TOKEN, Address, RemoteSettings

# Fewer than Pants' 128: a server refuses what is more than its threads.
CONCURRENCY = 32
# A server that does not answer costs this once for each step that is looked up, at the same time as
# the step itself runs.
TIMEOUT_MS = 3000
# for what is still being written when the command is done; Pants gives up after 3 s, without a word
WRITING_S = 120
CONNECT_S = 2.0
IN_URL = re.compile(r"//[^/@\s]+@")
# variables that Pants makes part of the processes that install packages
INDEX_VARIABLES = (
    "PIP_INDEX_URL",
    "PIP_EXTRA_INDEX_URL",
    "PIP_FIND_LINKS",
    "UV_DEFAULT_INDEX",
    "UV_FIND_LINKS",
    "HTTPS_PROXY",
    "https_proxy",
)


def pants_variables(
    remote: RemoteSettings, environment: Mapping[str, str]
) -> tuple[dict[str, str], list[str]]:
    """Return Pants' variables, and what people have to know of them.

    Results are written by those alone who have the write token, and never from a job of GitLab
    whose branch is not protected. They are not written either where a variable holds a password: it
    would be part of what is written. Where the execution is not reached, steps run here.
    """
    if remote.cache is None:
        return {}, []
    notes = []
    writes = remote.writes
    if writes and environment.get("CI") and environment.get("CI_COMMIT_REF_PROTECTED") != "true":
        notes.append(f"{WRITE_TOKEN} is not for unprotected branches: protect the variable")
        writes = False
    secret = next((n for n in INDEX_VARIABLES if IN_URL.search(environment.get(n, ""))), None)
    if writes and secret:
        notes.append(f"{secret} holds a password, so nothing is written: put it into ~/.netrc")
        writes = False
    token = remote.write_token if writes and remote.write_token else remote.token
    execution = remote.execution
    if execution and secret:
        notes.append(f"{secret} holds a password, so steps run here: put it into ~/.netrc")
        execution = None
    if execution and not answers(execution):
        notes.append(f"{execution.url} is not reached, so steps run here")
        execution = None
    made = {
        "PANTS_REMOTE_STORE_ADDRESS": remote.cache.url,
        "PANTS_REMOTE_STORE_RPC_CONCURRENCY": str(CONCURRENCY),
        "PANTS_REMOTE_CACHE_RPC_CONCURRENCY": str(CONCURRENCY),
        "PANTS_REMOTE_CACHE_RPC_TIMEOUT_MILLIS": str(TIMEOUT_MS),
        "PANTS_REMOTE_CACHE_WARNINGS": "first_only",
        "PANTS_REMOTE_INSTANCE_NAME": remote.instance,
        "PANTS_REMOTE_CA_CERTS_PATH": remote.authority,
        "PANTS_REMOTE_OAUTH_BEARER_TOKEN_PATH": token,
    }
    if execution:
        made |= {
            "PANTS_REMOTE_EXECUTION": "true",
            "PANTS_REMOTE_EXECUTION_ADDRESS": execution.url,
        }
    else:
        made |= {
            "PANTS_REMOTE_CACHE_READ": "true",
            "PANTS_REMOTE_CACHE_WRITE": str(writes).lower(),
        }
        if writes:
            made["PANTS_SESSION_END_TASKS_TIMEOUT"] = str(WRITING_S)
    return {name: str(value) for name, value in made.items() if value is not None}, notes


def answers(address: Address) -> bool:
    """Return whether something listens at ``address``."""
    try:
        socket.create_connection((address.host, address.port), CONNECT_S).close()
    except OSError:
        return False
    return True


def main(root: Path) -> None:
    """Print the variables as ``NAME=VALUE``; a mistake in the settings costs the cache alone."""
    from slipway import settings

    try:
        remote = settings.load(root).remote
        remote.verify()
        variables, notes = pants_variables(remote, os.environ)
    except SlipwayError as error:
        variables, notes = {}, [f"not used: {error}"]
    for note in notes:
        print(f"remote cache: {note}", file=sys.stderr)
    for name, value in variables.items():
        print(f"{name}={value}")
