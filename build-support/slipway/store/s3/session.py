"""Start sessions of boto3 that share AWS's descriptions of its services."""

from __future__ import annotations

import functools

import boto3
import botocore.session
from botocore.loaders import Loader, create_loader


def create_session(profile: str | None = None) -> boto3.session.Session:
    """Return a session of boto3's own, with its own configuration and credentials.

    Reading the descriptions takes a client 0.1 s, which is most of what it takes to make one. A
    promotion has a client of each stage.

    Raises:
        ProfileNotFound: AWS's configuration has no such profile.
    """
    core = botocore.session.Session(profile=profile)
    loader = _loader(core.get_config_variable("data_path"))
    core.register_component("data_loader", loader)
    session = boto3.session.Session(botocore_session=core)
    loader.search_paths[:] = dict.fromkeys(loader.search_paths)  # each session adds boto3's own
    return session


@functools.cache
def _loader(data_path: str | None) -> Loader:
    return create_loader(data_path)
