"""The lines of requirements.txt, held against pip's own parser: the one that ensurepip brings."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from slipway.environment.requirement_lines import (
    Malformed,
    NamedRequirement,
    Option,
    PathRequirement,
    RepositoryRequirement,
    UrlRequirement,
    parse_requirement_lines,
    read_requirement_lines,
)
from slipway.errors import SlipwayError
from tests.environment.bundled_pip import bundled_pip

# what pip makes of each line of a file: its number, and whether it names a package, is a path, …
PIP = """
import json, os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
os.chdir(Path(sys.argv[2]).parent)
from pip._internal.network.session import PipSession
from pip._internal.req.req_file import parse_requirements, RequirementsFileParser, get_line_parser
from pip._internal.req.constructors import (
    install_req_from_parsed_requirement as install_req,
)
parser = RequirementsFileParser(PipSession(), get_line_parser(None))
found = {}
for line in parser.parse(sys.argv[2], constraint=False):
    if not line.is_requirement:
        found[line.lineno] = ["option"]
        continue
    from pip._internal.req.req_file import handle_requirement_line
    req = install_req(handle_requirement_line(line))
    if req.link is None:
        found[line.lineno] = ["named", req.name, str(req.req.specifier)]
    elif req.link.is_vcs:
        found[line.lineno] = ["repository", req.editable]
    elif req.link.is_file:
        path = os.path.realpath(req.link.file_path)
        found[line.lineno] = ["path", path, sorted(req.extras), req.editable]
    else:
        found[line.lineno] = ["url"]
print(json.dumps(found))
"""


def test_every_kind_of_line_is_what_pip_makes_of_it(tmp_path: Path) -> None:
    (tmp_path / "libs/shared lib").mkdir(parents=True)
    (tmp_path / "libs/shared lib/pyproject.toml").write_text("[project]\nname='shared'\n")
    (tmp_path / "shapes-1.0-py3-none-any.whl").touch()
    requirements = tmp_path / "models/requirements.txt"
    requirements.parent.mkdir()
    uri = (tmp_path / "libs/shared lib").as_uri()
    requirements.write_text(
        "numpy<2  # what model.py draws with\n"
        "\n"
        "  # a comment \\\n"
        "pillow >=11, \\\n"
        "   <12\n"
        "Ruamel.YAML[jinja2]==0.18 ; python_version > '3.8'\n"
        "scipy==1.13.0 --hash=sha256:" + "0" * 64 + " \\\n"
        "    --hash=sha256:" + "1" * 64 + "\n"
        f"shared @ {uri}\n"
        f"-e {uri}#egg=shared\n"
        f"shared[draw,cut] @ {uri} ; python_version > '3'\n"
        f"{tmp_path}/shapes-1.0-py3-none-any.whl\n"
        "git+https://host/shared.git@v1#egg=shared\n"
        "-e git+ssh://git@host/shared.git#egg=shared\n"
        "shared @ git+https://host/shared.git\n"
        "https://host/shapes-1.0-py3-none-any.whl\n"
        "shapes @ https://host/shapes-1.0.tar.gz\n"
        "--find-links /wheels\n"
        "-f/wheels\n"
        "--extra-index-url=https://host/simple\n"
        "--no-index\n"
    )
    pip = bundled_pip()
    asked = subprocess.run(
        [sys.executable, "-I", "-c", PIP, pip, requirements],
        capture_output=True,
        text=True,
        check=False,
    )
    assert asked.returncode == 0, asked.stderr
    ours: dict[int, list[object]] = {}
    for line in read_requirement_lines(requirements):
        match line:
            case NamedRequirement(requirement=requirement):
                ours[line.number] = ["named", requirement.name, str(requirement.specifier)]
            case PathRequirement():
                path = str(line.resolve(requirements))
                ours[line.number] = ["path", path, sorted(line.extras), line.editable]
            case RepositoryRequirement():
                ours[line.number] = ["repository", line.text.startswith("-e")]
            case UrlRequirement():
                ours[line.number] = ["url"]
            case Option():
                ours[line.number] = ["option"]
            case Malformed():
                pytest.fail(f"malformed: {line}")
    assert ours == {int(number): kind for number, kind in json.loads(asked.stdout).items()}


@pytest.mark.parametrize(
    ("text", "path", "name", "extras"),
    [
        ("-e ../../libs/shared", "../../libs/shared", None, ()),
        ("--editable=../../libs/shared", "../../libs/shared", None, ()),
        ("shared-lib @ file:../../libs/shared", "../../libs/shared", "shared-lib", ()),
        ("shared @ ../../libs/shared", "../../libs/shared", "shared", ()),
        ("../../libs/shared[draw] ; python_version > '3'", "../../libs/shared", None, ("draw",)),
        ("libs/shared", "libs/shared", None, ()),
        ("file:../x#egg=shared", "../x", "shared", ()),
        (".", ".", None, ()),
        ("shapes-1.0-py3-none-any.whl", "shapes-1.0-py3-none-any.whl", None, ()),
    ],
)
def test_a_path_is_read_in_every_spelling(
    text: str, path: str, name: str | None, extras: tuple[str, ...]
) -> None:
    (line,) = parse_requirement_lines(text)
    assert isinstance(line, PathRequirement)
    assert (line.path, line.name, line.extras) == (path, name, extras)
    assert line.resolve(Path("/repository/models/x/requirements.txt")) == Path(
        "/repository/models/x", path
    ).resolve(strict=False)


@pytest.mark.parametrize("text", ["git@host:group/shared.git", "-e git@host:group/shared.git"])
def test_an_ssh_address_as_git_takes_it_is_a_repository(text: str) -> None:
    (line,) = parse_requirement_lines(text)
    assert isinstance(line, RepositoryRequirement)


@pytest.mark.parametrize(
    "text",
    ["numpy=1.26", "numpy 1.26", 'numpy = "^1.26"', "-e", "s3://bucket/x.whl", "a @ ftp://x"],
)
def test_what_pip_does_not_understand_is_malformed(text: str) -> None:
    (line,) = parse_requirement_lines(text)
    assert isinstance(line, Malformed)


@pytest.mark.parametrize("text", ["-r other.txt", "-rother.txt", "--requirement=other.txt"])
def test_an_option_has_one_name_in_every_spelling(text: str) -> None:
    (line,) = parse_requirement_lines(text)
    assert isinstance(line, Option)
    assert (line.option, line.value) == ("--requirement", "other.txt")


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text("numpy<2\n", encoding="utf-8-sig")
    (line,) = read_requirement_lines(file)
    assert isinstance(line, NamedRequirement) and line.requirement == Requirement("numpy<2")


def test_a_file_in_utf_16_is_named_as_such(tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text("numpy<2\n", encoding="utf-16")
    with pytest.raises(SlipwayError, match="UTF-16") as refused:
        read_requirement_lines(file)
    assert refused.value.fix
