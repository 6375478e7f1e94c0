from __future__ import annotations

import json
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from slipway.errors import SlipwayError
from slipway.image.base import open_base
from slipway.image.config import BIND, ENTRY
from slipway.image.layers import MODELS
from slipway.image.references import InLayout
from slipway.triton.image.environments import LABEL, image_path
from tests.artifact.samples import packed, write_environment, write_model
from tests.image.bases import tiny_base
from tests.image.made import (
    attached_to,
    config_of,
    files_of,
    make,
    manifest_of,
    repository,
    statement_in,
)
from tests.release.sample_releases import write_artifact

SCHEMAS = Path("/usr/share/gocode/src/github.com/opencontainers/image-spec/schema")


def tiny_artifact(root: Path, layout: str = "directory") -> Path:
    environment = write_environment(root / "environment")
    return packed(write_model(root / "checkout"), environment, layout).path


def named(root: Path, name: str, **contents: str) -> Path:
    return write_artifact(root / name, name, **contents)  # type: ignore[arg-type]


def test_equal_artifacts_in_two_places_give_one_digest(tmp_path: Path) -> None:
    images = [make(tmp_path / name, tiny_artifact(tmp_path / name)) for name in ("here", "there")]
    assert images[0].digest == images[1].digest
    assert [layer.digest for layer in images[0].layers] == [
        layer.digest for layer in images[1].layers
    ]


def test_every_file_is_the_artifacts_but_for_the_link_to_the_environment(tmp_path: Path) -> None:
    artifact = tiny_artifact(tmp_path)
    image = make(tmp_path, artifact)
    (digest,) = image.environments
    expected: dict[str, bytes | str] = {}
    with tarfile.open(artifact) as tar:
        for member in tar:
            content = tar.extractfile(member)
            if content is None:
                continue
            _, inside, rest = member.name.partition("/python_env/")
            place = f"{image_path(digest)[1:]}/{rest}" if inside else f"{MODELS}/tiny/{member.name}"
            expected[place] = content.read()
    found = files_of(image)
    assert found.pop(ENTRY[1:])[:2] == b"#!"
    link = f"{MODELS}/tiny/tiny_preprocessing/python_env"
    assert found.pop(link) == image_path(digest)
    assert found == expected


def test_both_layouts_of_an_environment_give_the_same_layer(tmp_path: Path) -> None:
    images = [make(tmp_path / kind, tiny_artifact(tmp_path / kind, kind)) for kind in
              ("directory", "archive")]  # fmt: skip
    layers = [
        {x.digest for x in image.layers if x.purpose.startswith("execution")} for image in images
    ]
    assert layers[0] == layers[1] != set()


def test_models_of_one_environment_share_its_layer(tmp_path: Path) -> None:
    image = make(tmp_path, named(tmp_path, "m"), named(tmp_path, "n"))
    purposes = [layer.purpose for layer in image.layers]
    assert [p.partition(" ")[0] for p in purposes] == [
        "slipway", "execution", "weights", "code", "weights", "code"
    ]  # fmt: skip
    alone = make(tmp_path / "alone", named(tmp_path, "n"))
    assert {layer.digest for layer in alone.layers} < {layer.digest for layer in image.layers}
    assert config_of(image)["config"]["Env"].count("SLIPWAY_SERVES=m n") == 1


def test_a_change_of_code_changes_one_layer(tmp_path: Path) -> None:
    before = make(tmp_path / "before", named(tmp_path / "before", "m"))
    after = make(tmp_path / "after", named(tmp_path / "after", "m", code="LIMIT = 2\n"))
    changed = {layer.purpose for layer in after.layers} & {
        layer.purpose
        for layer in after.layers
        if layer.digest not in {each.digest for each in before.layers}
    }
    assert changed == {"code of m 1.0.0"}


def test_the_image_says_what_it_is_and_runs_without_root(tmp_path: Path) -> None:
    artifact = named(tmp_path, "m")
    image = make(tmp_path, artifact)
    config = config_of(image)["config"]
    assert (config["User"], config["Entrypoint"], config["Cmd"]) == (
        "1000:1000",
        [ENTRY],
        ["serve"],
    )
    labels = config["Labels"]
    assert labels["org.opencontainers.image.version"] == "1.0.0"
    assert labels["org.opencontainers.image.revision"].startswith("c0ffee0")
    assert (
        labels["io.slipway.model.m.sha256"]
        == statement_in(attached_to(image)["image.provenance.json"][1])["predicate"][
            "buildDefinition"
        ]["resolvedDependencies"][1]["digest"]["sha256"]
    )
    assert (labels[LABEL], labels[BIND]) == ("0" * 64, "true")
    assert config["Healthcheck"]["Test"] == ["CMD", ENTRY, "healthy"]


def test_nvidias_own_entry_runs_first(tmp_path: Path) -> None:
    nvidia = "/opt/nvidia/nvidia_entrypoint.sh"
    base = tiny_base(tmp_path / "nvidia", Entrypoint=[nvidia])
    image = make(tmp_path, named(tmp_path, "m"), base=base)
    assert config_of(image)["config"]["Entrypoint"] == [nvidia, ENTRY]


def test_what_is_attached_names_the_image_as_its_subject(tmp_path: Path) -> None:
    image = make(tmp_path, named(tmp_path, "m"))
    documents = attached_to(image)
    assert len(documents) == image.attached
    for manifest, _ in documents.values():
        assert manifest["subject"]["digest"] == image.digest
    statement = statement_in(documents["image.provenance.json"][1])
    assert statement["subject"][0]["digest"]["sha256"] == image.digest.removeprefix("sha256:")
    assert str(tmp_path) not in json.dumps(statement)


def test_an_image_of_the_same_name_is_replaced_and_others_stay(tmp_path: Path) -> None:
    first = make(tmp_path, named(tmp_path, "m"))
    second = make(tmp_path, named(tmp_path, "n"))
    assert first.layout.find("made")["digest"] == second.digest != first.digest
    assert second.layout.names() == ["made"]


def test_the_schemas_of_the_specification_accept_the_image(tmp_path: Path) -> None:
    if not SCHEMAS.is_dir():
        pytest.skip("golang-github-opencontainers-image-spec-dev is not installed")
    from jsonschema import Draft4Validator
    from referencing import Registry, Resource
    from referencing.jsonschema import DRAFT4

    resources = []
    for path in SCHEMAS.glob("*.json"):
        value = json.loads(path.read_text(encoding="utf-8"))
        resource = Resource.from_contents(value, default_specification=DRAFT4)
        resources += [(value.get("id", path.name), resource), (path.name, resource)]
        resources.append((f"https://opencontainers.org/schema/{path.name}", resource))
        resources.append((f"https://opencontainers.org/schema/image/{path.name}", resource))
    registry: Registry[object] = Registry().with_resources(resources)
    image = make(tmp_path, named(tmp_path, "m"))
    documents = {
        "image-manifest-schema.json": manifest_of(image),
        "config-schema.json": config_of(image),
        "image-index-schema.json": json.loads((image.layout.root / "index.json").read_bytes()),
        "image-layout-schema.json": json.loads((image.layout.root / "oci-layout").read_bytes()),
    }
    for name, document in documents.items():
        schema = json.loads((SCHEMAS / name).read_text(encoding="utf-8"))
        Draft4Validator(schema, registry=registry).validate(document)
    attached = image.layout.read_json(image.layout.find(image.index))
    schema = json.loads((SCHEMAS / "image-index-schema.json").read_text(encoding="utf-8"))
    Draft4Validator(schema, registry=registry).validate(attached)


def test_skopeo_and_umoci_accept_the_image(tmp_path: Path) -> None:
    for program in ("skopeo", "umoci"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    image = make(tmp_path, named(tmp_path, "m"))
    reference = f"{image.layout.root}:made"
    inspected = json.loads(_output("skopeo", "inspect", f"oci:{reference}"))
    assert inspected["Digest"] == image.digest
    assert inspected["Labels"]["org.opencontainers.image.title"] == "m"
    assert "code of m 1.0.0" in _output("umoci", "stat", "--image", reference)
    _output("umoci", "unpack", "--rootless", "--image", reference, str(tmp_path / "bundle"))
    assert (tmp_path / "bundle" / "rootfs" / ENTRY[1:]).stat().st_mode & 0o111


def test_models_that_one_triton_cannot_hold_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SlipwayError, match=r"m 1\.0\.0 and m 1\.1\.0 both have a model m"):
        make(tmp_path, named(tmp_path, "m"), write_artifact(tmp_path / "new", "m", "1.1.0"))


def test_a_base_with_another_python_is_refused(tmp_path: Path) -> None:
    base = tiny_base(
        tmp_path / "old",
        Env=["TRITON_SERVER_VERSION=2.51.0", "NVIDIA_TRITON_SERVER_VERSION=24.10"],
    )
    with pytest.raises(SlipwayError, match=r"has Python 3\.12.*serves with 3\.10"):
        make(tmp_path, named(tmp_path, "m"), base=base)


def test_a_base_without_triton_is_refused(tmp_path: Path) -> None:
    base = tiny_base(tmp_path / "plain", Env=["PATH=/bin"])
    with pytest.raises(SlipwayError, match="no image of a Triton server"):
        open_base(InLayout(base, None), repository(tmp_path))


def test_an_image_with_models_is_no_base(tmp_path: Path) -> None:
    image = make(tmp_path, named(tmp_path, "m"))
    with pytest.raises(SlipwayError, match="it has models already"):
        open_base(InLayout(image.layout.root, None), repository(tmp_path))


def test_a_truncated_layer_of_the_base_is_refused(tmp_path: Path) -> None:
    base = tiny_base(tmp_path / "base")
    (layer,) = (b for b in (base / "blobs/sha256").iterdir() if b.read_bytes()[:2] == b"\x1f\x8b")
    layer.write_bytes(layer.read_bytes()[:-1])
    with pytest.raises(SlipwayError, match="a damaged OCI layout: the blob"):
        make(tmp_path, named(tmp_path, "m"), base=base)


def test_a_damaged_base_is_refused(tmp_path: Path) -> None:
    base = tiny_base(tmp_path / "base")
    for blob in (base / "blobs" / "sha256").iterdir():
        if blob.stat().st_size < 1000 and blob.read_bytes()[:1] == b"{":
            blob.write_bytes(b"{}")
    with pytest.raises(SlipwayError, match="has other bytes"):
        open_base(InLayout(base, None), repository(tmp_path))


def test_a_folder_with_other_files_is_no_output(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "notes.txt").touch()
    with pytest.raises(SlipwayError, match="not an OCI layout, and not empty"):
        make(tmp_path, named(tmp_path, "m"))


def _output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
