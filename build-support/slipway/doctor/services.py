"""The services that a repository names: channels, release stores, remotes, a remote cache."""

from __future__ import annotations

from collections.abc import Iterator

from slipway import remote_cache
from slipway.doctor.diagnosis import Diagnosis, State
from slipway.environment import interpreter
from slipway.errors import SlipwayError
from slipway.model.weights import Weights
from slipway.release.store_check import check_store
from slipway.settings import RemoteSettings, Settings
from slipway.settings.release import STAGES
from slipway.settings.remote import EXECUTION, VARIABLES


def diagnose_channels(settings: Settings) -> Diagnosis:
    """Return whether the conda channels are reached, or what takes their place."""
    channels = ", ".join(settings.channels) or "no channel"
    try:
        chosen = interpreter.choose_interpreter(settings, settings.platform)
    except SlipwayError as error:
        return Diagnosis("channels", "missing", f"{channels}: {error.what}", error.fix)
    if chosen.local:
        return Diagnosis(
            "channels", "note", f"{channels}: not reached; this machine's CPython serves"
        )
    return Diagnosis("channels", "ok", channels)


def diagnose_stores(settings: Settings) -> Iterator[Diagnosis]:
    """Yield a diagnosis of each stage's release store; S3 servers are asked."""
    for stage in STAGES:
        check = check_store(settings, stage)
        origin = f" ({check.variable})" if check.variable else ""
        name = f"{stage}: {check.location}{origin}"
        if check.problem is not None:
            yield Diagnosis("release store", "missing", f"{name}: {check.problem}", check.fix)
        elif check.note is not None:
            yield Diagnosis("release store", "note", f"{name}: {check.note}", check.fix)
        else:
            yield Diagnosis("release store", "ok", name)


def diagnose_remote_cache(remote: RemoteSettings) -> Iterator[Diagnosis]:
    """Yield what the remote cache and the remote execution answer; nothing where there is none.

    A cache that does not answer is no obstacle: builds work without it.
    """
    for subject, address in (("remote cache", remote.cache), ("remote workers", remote.execution)):
        if address is None:
            continue
        try:
            server = remote_cache.ask(remote, address)
        except SlipwayError as error:
            yield Diagnosis(subject, "note", error.what, error.fix)
            continue
        state: State = "ok"
        fix = None
        if subject == "remote workers":
            what = "runs steps"
            if not server.executes:
                state, what = "note", "runs no steps"
                fix = f"{EXECUTION} = the address of workers, or {VARIABLES[EXECUTION]}=off"
        elif not server.reads:
            state, what = "note", "answers, but this machine may not read"
            fix = f"the file of a token that can read: {remote.token_setting}"
        elif server.writes and not remote.writes:
            state, what = "note", "lets this machine write without a write token"
            fix = "a token that can only read; docs/remote-cache.md#who-may-write"
        else:
            what = "reads and writes" if server.writes else "reads"
        yield Diagnosis(subject, state, f"{address.url}: {what}", fix)


def diagnose_remotes(settings: Settings) -> Iterator[Diagnosis]:
    """Yield a diagnosis of each DVC remote."""
    try:
        for name, url, reached in Weights(settings.root).remotes():
            state: State = "ok" if reached else "missing"
            fix = None if reached else "check its url, the network and your credentials"
            yield Diagnosis("DVC remote", state, f"{name}: {url}", fix)
    except SlipwayError as error:
        yield Diagnosis("DVC remote", "missing", error.what, error.fix)
