"""AWS's Triton images: ``ci/infra/tritonserver.json``, which ``ci/infra/images`` takes from AWS's
own SDK (package ``sagemaker``, ``image_uri_config/sagemaker-tritonserver.json``)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from slipway.errors import SlipwayError
from slipway.infra.instances import Hardware

FILE = "tritonserver.json"
# CUDA 13, which images of 25.08 and newer contain, needs driver 580. CUDA 12 runs on any driver
# from 525 on (NVIDIA, "CUDA Compatibility"). AWS tests its own images of CUDA 12.9 with driver 550
# and found them not to start with 580 (aws/deep-learning-containers#6187).
CUDA_13 = "25.08"
AMI_CUDA_12 = "al2-ami-sagemaker-inference-gpu-3-1"
AMI_CUDA_13 = "al2023-ami-sagemaker-inference-gpu-4-1"


@dataclass(frozen=True)
class ReleaseImages:
    """The images of one Triton release. ``registries`` has an AWS account for each region."""

    repository: str
    tag_prefix: str
    registries: Mapping[str, str]


@dataclass(frozen=True)
class ImageTable:
    """``sdk`` is the version of AWS's SDK that the table is from; ``releases`` are Triton's."""

    path: Path
    sdk: str
    releases: Mapping[str, ReleaseImages]

    def uri(self, release: str, region: str, hardware: Hardware) -> str:
        """Return the image of a Triton release in a region, as the SDK's ``retrieve`` does.

        Raises:
            SlipwayError: AWS has no image of this release, or none in this region.
        """
        if release not in self.releases:
            raise self._missing(f"no image of Triton {release}", sorted(self.releases))
        images = self.releases[release]
        if region not in images.registries:
            raise self._missing(
                f"no image of Triton {release} in {region}", sorted(images.registries)
            )
        suffix = ".cn" if region.startswith("cn-") else ""
        tag = images.tag_prefix + ("-cpu" if hardware == "cpu" else "")
        account = images.registries[region]
        return f"{account}.dkr.ecr.{region}.amazonaws.com{suffix}/{images.repository}:{tag}"

    def _missing(self, what: str, known: list[str]) -> SlipwayError:
        return SlipwayError(
            f"AWS's SDK sagemaker {self.sdk} names {what}, only of {', '.join(known)}",
            where=str(self.path),
            fix="use one of these, or give the image in full (TritonImage); for a newer SDK, run"
            " build-support/lock.sh --upgrade-package sagemaker, then ci/infra/images",
        )


def load_images(folder: Path) -> ImageTable:
    """Return the table in a folder of environments.

    Raises:
        SlipwayError: the table is missing or damaged.
    """
    path = folder / FILE
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        releases = {
            release: ReleaseImages(
                images["repository"], images["tag_prefix"], dict(images["registries"])
            )
            for release, images in document["versions"].items()
        }
        return ImageTable(path, document["sdk"], releases)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SlipwayError(
            f"cannot read the table of AWS's Triton images: {error!r}",
            where=str(path),
            fix="run ci/infra/images, which writes it",
        ) from error


def driver_ami(release: str) -> str:
    """Return the ``InferenceAmiVersion`` with the GPU driver for a Triton release.

    Without one, SageMaker starts ml.g4dn, ml.g5 and ml.p4d with driver 470, on which the server of
    25.04 ends (aws/deep-learning-containers#4990).
    """
    return AMI_CUDA_13 if release >= CUDA_13 else AMI_CUDA_12
