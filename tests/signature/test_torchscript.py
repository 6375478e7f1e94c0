"""TorchScript files that PyTorch 2.5.1 wrote: what forward takes and returns."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from slipway.signature.torchscript import Forward, read_forward

FILES = Path(__file__).parent / "fixtures/torchscript"
READ = {
    "one_traced": Forward(("x",), (), 1),
    "two_scripted": Forward(("x", "y"), (), 2),
    "three_frozen": Forward(("x", "y"), (), 3),
    "nested_traced": Forward(("x", "y"), (), 3),  # its class is not the only one of its module
    "optional_scripted": Forward(("x", "m"), ("m",), 1),
    "tuple_traced": Forward(("x",), (), 1),
}


@pytest.mark.parametrize("name", READ)
def test_arguments_and_results_are_those_of_the_code(name: str) -> None:
    assert read_forward(FILES / f"{name}.pt") == READ[name]


@pytest.mark.parametrize("name", ["list_scripted", "dict_scripted"])
def test_lists_and_dicts_have_no_number_of_tensors(name: str) -> None:
    assert read_forward(FILES / f"{name}.pt") is None


def test_another_file_has_no_forward(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    assert read_forward(path) is None
    for content in (b"", b"not an archive", (FILES / "one_traced.pt").read_bytes()[:-100]):
        path.write_bytes(content)
        assert read_forward(path) is None
    with zipfile.ZipFile(path, "w") as archive:  # a state dict has no code
        archive.writestr("model/data.pkl", b"\x80\x02}q\x00.")
    assert read_forward(path) is None


def test_code_that_is_not_as_pytorch_writes_it_has_no_forward(tmp_path: Path) -> None:
    source = FILES / "two_scripted.pt"
    for old, new in (("def forward(", "def backward("), ("x: Tensor", "x Tensor")):
        path = tmp_path / "model.pt"
        with zipfile.ZipFile(source) as whole, zipfile.ZipFile(path, "w") as archive:
            for entry in whole.namelist():
                content = whole.read(entry)
                if entry.endswith(".py"):
                    assert old.encode() in content
                    content = content.replace(old.encode(), new.encode())
                archive.writestr(entry, content)
        assert read_forward(path) is None
