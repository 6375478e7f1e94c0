"""Read the reference profile that travels in a release's artifact."""

from __future__ import annotations

from slipway.archive.reader import open_tar, regular_files
from slipway.artifact.manifest import parse_manifest, read_first_file
from slipway.catalog import keys
from slipway.errors import SlipwayError
from slipway.profile.profile import FILE_NAME, Profile, load_profile
from slipway.store.stage import StageReader


def read_profile(source: StageReader, target: str) -> Profile | None:
    """Return the profile in the artifact of ``target``; ``None`` if it was packed without one.

    The manifest is the first file and names the profile, which comes before the weights and the
    environment. The connection is closed after the profile: the rest is not transferred.

    Raises:
        SlipwayError: there is no such artifact, or it is truncated before its profile.
    """
    key = keys.artifact(source.name, target)
    with source.store.open(key) as stream, open_tar(stream, key, to_end=False) as tar:
        files = regular_files(tar)
        first, data = read_first_file(files, where=key)
        manifest = parse_manifest(data, where=f"{key}: {first}")
        path = f"{first.rpartition('/')[0]}/{FILE_NAME}"
        if path not in manifest.sources:
            return None
        for member, content in files:
            if member.name == path:
                return load_profile(content.read(), where=f"{key}: {path}")
    raise SlipwayError(
        f"not a complete Slipway artifact: {path} is missing",
        where=key,
        fix="publish the model again: slipway publish models/NAME",
    )
