"""Ask a registry of images for a tag: ECR by its API, others by that of the OCI distribution."""

from __future__ import annotations

import re
from typing import Any, Protocol

from slipway.aws import (
    NO_CREDENTIALS,
    NOT_CONFIGURED,
    error_code,
    error_message,
    no_credentials,
    not_configured,
)
from slipway.errors import SlipwayError
from slipway.settings import TrainingPlaceSettings

ECR = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?/(?P<name>.+)"
)
MANIFESTS = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
TIMEOUT_S = 30


class Registry(Protocol):
    """One repository of images."""

    @property
    def repository(self) -> str:
        """Return its name with the host."""

    def digest(self, tag: str) -> str | None:
        """Return the digest of a tag's image, ``None`` if there is no such tag.

        Raises:
            SlipwayError: the registry cannot be asked, or refuses.
        """

    def tag(self, existing: str, tag: str) -> None:
        """Give the image of the tag ``existing`` another ``tag``, which no image has.

        Raises:
            SlipwayError: the registry refuses.
        """


def open_registry(places: TrainingPlaceSettings) -> Registry:
    """Return the repository of ``[training]``.

    Raises:
        SlipwayError: none is set, or boto3's configuration is wrong.
    """
    repository = places.require("repository")
    match = ECR.fullmatch(repository)
    if match is None:
        return OciRegistry(repository)
    return EcrRegistry(repository, match["account"], match["region"], match["name"], places)


class EcrRegistry:
    """A repository in ECR. See :class:`Registry`."""

    def __init__(
        self,
        repository: str,
        account: str,
        region: str,
        name: str,
        places: TrainingPlaceSettings,
    ) -> None:
        import boto3

        self.repository = repository
        self._target = {"registryId": account, "repositoryName": name}
        try:
            session = boto3.session.Session(profile_name=places.profile)
            self._client: Any = session.client("ecr", region_name=region)
        except NOT_CONFIGURED as error:
            raise not_configured(error, repository) from error

    def digest(self, tag: str) -> str | None:
        """See :class:`Registry`."""
        try:
            images = self._call("describe_images", imageIds=[{"imageTag": tag}])
        except _Absent:
            return None
        digest: str = images["imageDetails"][0]["imageDigest"]
        return digest

    def tag(self, existing: str, tag: str) -> None:
        """See :class:`Registry`."""
        found = self._call("batch_get_image", imageIds=[{"imageTag": existing}])
        image = found["images"][0]
        self._call("put_image", imageManifest=image["imageManifest"], imageTag=tag)

    def _call(self, operation: str, **parameters: Any) -> Any:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return getattr(self._client, operation)(**self._target, **parameters)
        except ClientError as error:
            if error_code(error) == "ImageNotFoundException":
                raise _Absent from error
            raise SlipwayError(
                f"ECR answers {error_code(error)}: {error_message(error)}",
                where=self.repository,
                fix="correct [training] repository, or allow ecr:DescribeImages on it",
            ) from error
        except NO_CREDENTIALS as error:
            raise no_credentials(error, self.repository) from error
        except BotoCoreError as error:
            raise SlipwayError(
                f"ECR was not reached: {error}", where=self.repository, fix="check the network"
            ) from error


class _Absent(Exception):
    pass


class OciRegistry:
    """A repository of a registry on this machine, without credentials. See :class:`Registry`."""

    def __init__(self, repository: str) -> None:
        self.repository = repository
        host, _, name = repository.partition("/")
        self._url = f"http://{host}/v2/{name}/manifests"

    def digest(self, tag: str) -> str | None:
        """See :class:`Registry`."""
        response = self._request("HEAD", tag, {"Accept": ", ".join(MANIFESTS)})
        return None if response is None else response.headers["Docker-Content-Digest"]

    def tag(self, existing: str, tag: str) -> None:
        """See :class:`Registry`."""
        manifest = self._request("GET", existing, {"Accept": ", ".join(MANIFESTS)})
        assert manifest is not None
        kind = manifest.headers["Content-Type"]
        self._request("PUT", tag, {"Content-Type": kind}, manifest.content)

    def _request(
        self, method: str, tag: str, headers: dict[str, str], data: bytes | None = None
    ) -> Any:
        import requests

        try:
            response = requests.request(
                method, f"{self._url}/{tag}", headers=headers, data=data, timeout=TIMEOUT_S
            )
            if response.status_code == 404:
                return None
            response.raise_for_status()
            return response
        except requests.RequestException as error:
            raise SlipwayError(
                f"the registry was not reached, or refuses: {error}",
                where=self.repository,
                fix="start it, or correct [training] repository",
            ) from error
