"""Files of PyTorch are told apart by what they hold, whatever they are called."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from slipway.errors import SlipwayError
from slipway.formats.recognise import recognise


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("picture.pt2", "torch_exported"),
        ("picture_traced.pt", "torch_script"),
        ("picture.pth", "torch_state_dict"),
        ("legacy.pth", "torch_state_dict"),
        ("checkpoint.pth", "torch_state_dict"),
        ("picture.safetensors", "torch_state_dict"),
    ],
)
def test_a_file_is_what_it_holds(files: Path, tmp_path: Path, name: str, kind: str) -> None:
    renamed = tmp_path / "model.bin"
    renamed.write_bytes((files / name).read_bytes())
    assert recognise(renamed)[0].name == kind


def test_a_pickled_module_is_refused_with_the_classes_it_names(files: Path) -> None:
    with pytest.raises(SlipwayError, match=r"a pickled object of nets\.Dropped") as error:
        recognise(files / "whole_module.pt")
    assert error.value.fix and "torch.save(model.state_dict(), FILE)" in error.value.fix


@pytest.mark.parametrize("name", ["picture.pt2", "picture_traced.pt", "picture.pth"])
def test_a_truncated_archive_is_refused(files: Path, tmp_path: Path, name: str) -> None:
    cut = tmp_path / name
    cut.write_bytes((files / name).read_bytes()[:-200])
    with pytest.raises(SlipwayError, match="a zip archive that is cut off"):
        recognise(cut)


def test_truncated_safetensors_are_refused(files: Path, tmp_path: Path) -> None:
    cut = tmp_path / "model.safetensors"
    cut.write_bytes((files / "picture.safetensors").read_bytes()[:200])
    with pytest.raises(SlipwayError, match="the safetensors file is truncated"):
        recognise(cut)


def test_a_program_of_a_newer_pytorch_is_refused(files: Path, tmp_path: Path) -> None:
    newer = tmp_path / "newer.pt2"
    with zipfile.ZipFile(files / "picture.pt2") as old, zipfile.ZipFile(newer, "w") as archive:
        for name in old.namelist():
            data = old.read(name)
            if name.endswith("models/model.json"):
                data = json.dumps(json.loads(data) | {"torch_version": "2.99.0"}).encode()
            archive.writestr(name, data)
    with pytest.raises(SlipwayError, match="written by PyTorch 2.99.0, newer than the 2.14"):
        recognise(newer)


def test_compiled_programs_say_what_could_serve_them(tmp_path: Path) -> None:
    compiled = tmp_path / "compiled.pt2"
    with zipfile.ZipFile(compiled, "w") as archive:
        archive.writestr("compiled/archive_format", "pt2")
        archive.writestr("compiled/data/aotinductor/model/abc.wrapper.so", b"\x7fELF")
    with pytest.raises(SlipwayError, match="AOTInductor has compiled") as error:
        recognise(compiled)
    assert error.value.fix and 'platform: "torch_aoti" on Triton 26.05' in error.value.fix
