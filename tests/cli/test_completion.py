"""`slipway completion`: the shells' own programs complete commands, options and models."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import slipway
from slipway.cli import main
from slipway.cli.develop.completion import SHELLS

# what a shell runs when the user presses TAB after a command line
BASH = """
eval "$(slipway completion bash)"
COMP_WORDS=({words}) COMP_CWORD={last} COMPREPLY=()
$(complete -p slipway | sed 's/.*-F \\([^ ]*\\) .*/\\1/') slipway "{current}" ""
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
FISH = """
slipway completion fish | source
complete --do-complete '{line}'
"""
ZSH = """
autoload -Uz compinit && compinit -u -D
eval "$(slipway completion zsh)"
compadd() {{ print -l -- "${{(@P)5}}"; }}  # -U -V unsorted -a NAME
_describe() {{ print -l -- "${{(@P)3}}"; }}  # -V unsorted NAME -U
words=({words}) CURRENT=$(({last} + 1))
_slipway_completion
"""


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A ``slipway`` on PATH, in a repository with the models titanic and translate."""
    (tmp_path / "slipway.toml").touch()
    for name in ("titanic", "translate"):
        (tmp_path / "models" / name).mkdir(parents=True)
    program = tmp_path / "bin" / "slipway"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m slipway "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    library = str(Path(slipway.__file__).parent.parent)
    path = os.pathsep.join([library, *filter(None, [os.environ.get("PYTHONPATH")])])
    return os.environ | {
        "PATH": f"{program.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "PYTHONPATH": path,
        "HOME": str(tmp_path),
    }


def complete(shell: str, line: str, environment: dict[str, str]) -> set[str]:
    """Return what ``shell`` proposes for the last word of ``line``."""
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed")
    words = line.split(" ")
    template = {"bash": BASH, "zsh": ZSH, "fish": FISH}[shell]
    script = template.format(
        words=" ".join(f"'{word}'" for word in words),
        last=len(words) - 1,
        current=words[-1],
        line=line,
    )
    arguments = {"bash": ["--norc"], "zsh": ["-f"], "fish": ["--no-config"]}[shell]
    done = subprocess.run(
        [program, *arguments, "-c", script],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return {item.partition("\t")[0].partition(":")[0] for item in done.stdout.split("\n") if item}


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("slipway pro", {"profile", "promote", "propose"}),
        ("slipway status --js", {"--json"}),
        ("slipway build t", {"titanic", "translate"}),
        ("slipway rollback tit", {"titanic"}),
        ("slipway publish --stage st", {"staging"}),
        ("slipway endpoint u", {"up"}),
    ],
)
def test_a_shell_completes_commands_options_and_models(
    shell: str, line: str, expected: set[str], environment: dict[str, str]
) -> None:
    assert complete(shell, line, environment) == expected


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_of_every_shell_is_printed(
    shell: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert "_SLIPWAY_COMPLETE" in script and f"{shell}_complete" in script


def test_hidden_options_are_not_proposed(environment: dict[str, str]) -> None:
    assert complete("bash", "slipway publish --t", environment) == {"--tests"}
