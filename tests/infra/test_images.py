"""AWS's Triton images, as AWS's own SDK names them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from moto.ec2.models.instance_types import INSTANCE_TYPES

from slipway import settings
from slipway.errors import SlipwayError
from slipway.infra import images, instances, template
from tests.infra.conftest import HERE, INFRA

ANSWERS = [line.split() for line in (HERE / "tests/infra/sdk_images.txt").read_text().splitlines()]
SAGEMAKER: Any = botocore.session.get_session().get_service_model("sagemaker")
BOTH: tuple[instances.Hardware, ...] = ("cpu", "gpu")
TYPES: list[str] = SAGEMAKER.shape_for("ProductionVariantInstanceType").enum


def test_every_image_is_the_one_that_the_sdk_answers() -> None:
    table = images.load_images(INFRA)
    ours = {
        (release, region, hardware): table.uri(release, region, hardware)
        for release, listed in table.releases.items()
        for region in listed.registries
        for hardware in BOTH
    }
    assert ours == {(release, region, kind): uri for release, region, kind, uri in ANSWERS}


def test_the_table_is_from_the_sdk_that_is_locked() -> None:
    locked = (HERE / "build-support/lockfiles/sagemaker.txt").read_text()
    version = re.search(r"^sagemaker==(\S+)", locked, re.MULTILINE)
    assert version and images.load_images(INFRA).sdk == version[1]


def test_the_release_of_this_repository_has_an_image_in_every_region_of_the_table() -> None:
    table = images.load_images(INFRA)
    ours = table.releases[settings.load(HERE).triton_release]
    assert set(ours.registries) >= {"us-east-1", "eu-central-1", "ap-northeast-3", "cn-north-1"}


@pytest.mark.parametrize(
    ("release", "region", "known"),
    [("25.05", "us-east-1", "25.04, 25.09"), ("25.09", "cn-north-1", "eu-central-1")],
)
def test_an_image_that_aws_does_not_have_names_those_that_it_has(
    release: str, region: str, known: str
) -> None:
    with pytest.raises(SlipwayError, match=f"no image of Triton {release}") as refused:
        images.load_images(INFRA).uri(release, region, "cpu")
    assert known in str(refused.value) and "TritonImage" in str(refused.value.fix)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"versions": {}}', '{"versions": {"25.04": 1}}'])
def test_a_damaged_table_says_how_to_write_it_again(tmp_path: Path, text: str) -> None:
    (tmp_path / images.FILE).write_text(text)
    with pytest.raises(SlipwayError, match="cannot read the table") as refused:
        images.load_images(tmp_path)
    assert "ci/infra/images" in str(refused.value.fix)


def test_the_local_disks_are_those_that_ec2_describes() -> None:
    described = {name: INSTANCE_TYPES.get(name.removeprefix("ml.")) for name in TYPES}
    for name, said in described.items():
        if said:
            assert instances.has_local_disk(name) == said["InstanceStorageSupported"], name
    # moto's recording of EC2 lacks these; every type that SageMaker has is known here
    assert {instances.family(name) for name, said in described.items() if not said} == {
        "p2",
        "p3",
        "dl1",
        "p6e-gb200",
    }
    assert None not in {instances.has_local_disk(name) for name in TYPES}


def test_what_computes_is_what_ec2_describes() -> None:
    for name in TYPES:
        said = INSTANCE_TYPES.get(name.removeprefix("ml."))
        if not said:
            continue
        makers = {gpu["Manufacturer"] for gpu in (said.get("GpuInfo") or {}).get("Gpus", ())}
        if said["ProcessorInfo"]["SupportedArchitectures"] == ["arm64"]:
            expected = None
        elif instances.family(name).startswith(("inf", "trn")):
            expected = None  # AWS's own accelerators
        else:
            expected = "gpu" if makers == {"NVIDIA"} else "cpu"
        assert instances.hardware(name) == expected, name


def test_the_driver_is_one_that_sagemaker_offers_and_new_enough() -> None:
    variant = SAGEMAKER.shape_for("ProductionVariant").members["InferenceAmiVersion"]
    drivers = {
        name: int(driver)
        for name, driver in re.findall(
            r"<dt>(\S+)</dt>.*?NVIDIA driver version: (\d+)", variant.documentation, re.DOTALL
        )
    }
    assert drivers[images.driver_ami("25.04")] >= 525  # for CUDA 12
    assert drivers[images.driver_ami("25.09")] >= 580  # for CUDA 13
    for path in ("environment.yaml", "multi_container.yaml"):
        offered = template.load_template(INFRA / path).parameters["InferenceAmiVersion"].allowed
        assert set(offered) - {""} == {name for name in variant.enum if "neuron" not in name}
        assert set(offered) - {""} == set(drivers)
