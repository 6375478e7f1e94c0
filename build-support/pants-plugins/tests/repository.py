"""A small repository of models for the plugin to work on, in a real Pants engine."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pex  # type: ignore[import-untyped]  # it has no types
from pants.backend.python import register as python
from pants.backend.python.goals.pytest_runner import PytestPluginSetup
from pants.backend.python.typecheck.mypy import register as mypy
from pants.core import register as core
from pants.core.goals.lint import LintResult
from pants.core.util_rules.partitions import Partitions
from pants.engine.addresses import Address, Addresses
from pants.engine.environment import EnvironmentName
from pants.engine.fs import DigestContents
from pants.engine.goal import Goal
from pants.engine.internals.selectors import Params
from pants.engine.process import Process
from pants.engine.rules import QueryRule
from pants.engine.target import DependenciesRequest, Target
from pants.testutil.rule_runner import GoalRuleResult, RuleRunner
from stand_in import SOURCE

from slipway_pants import linting, register, requests, testing
from slipway_pants.ruff import RuffCheckRequest

PRELUDE = Path(register.__file__).parent.parent / "prelude.py"
# Pants' own pex is older than the one that pants.toml names, and cannot read what a newer one keeps
# of an interpreter: the user's named caches are for the newer alone.
CACHES = tempfile.TemporaryDirectory(prefix="named-caches-")


@dataclass(frozen=True)
class Built:
    """A model's artifact as text, or why there is none."""

    text: str
    problem: str | None


@dataclass(frozen=True)
class Repository:
    """A repository, and the engine that works on it."""

    engine: RuleRunner
    options: tuple[str, ...]
    environment: Mapping[str, str]

    def goal(self, goal: type[Goal], *specs: str, options: Sequence[str] = ()) -> GoalRuleResult:
        """Run `pants <options> <goal> <specs>`."""
        return self.engine.run_goal_rule(
            goal, global_args=(*self.options, *options), args=specs, env=self.environment
        )

    def built(self, name: str) -> Built:
        """Build the artifact of the model `name`."""
        fields = requests.ArtifactFieldSet.create(self.target(name, "artifact"))
        request = requests.ArtifactRequest(fields.sources, fields.weights, fields.environment)
        made = self.engine.request(requests.Artifact, [request])
        contents = self.engine.request(DigestContents, [made.digest])
        return Built("".join(file.content.decode() for file in contents), made.problem)

    def built_all(self, names: Sequence[str]) -> Mapping[str, Built]:
        """Build the artifacts of models side by side."""
        fields = [requests.ArtifactFieldSet.create(self.target(name, "artifact")) for name in names]
        made = self.engine.scheduler.product_request(
            requests.Artifact,
            [
                Params(
                    requests.ArtifactRequest(each.sources, each.weights, each.environment),
                    EnvironmentName(None),
                )
                for each in fields
            ],
        )
        return {
            name: Built(
                "".join(
                    file.content.decode()
                    for file in self.engine.request(DigestContents, [artifact.digest])
                ),
                artifact.problem,
            )
            for name, artifact in zip(names, made)
        }

    def target(self, name: str, part: str) -> Target:
        """One part of the model `name`."""
        return self.engine.get_target(Address(f"models/{name}", target_name=part))

    def test(self, name: str) -> Target:
        """The test of the model `name`."""
        return self.engine.get_target(
            Address(f"models/{name}", relative_file_path="tests/test_it.py")
        )


def model(name: str, version: str = "1.0.0", pointer: str = "a", lock: str = "b") -> dict[str, str]:
    """The files of the model in `models/<name>`."""
    files = {
        "BUILD": "triton_model()\npython_tests()\n",
        "model_version.txt": f"{version}\n",
        "requirements.txt": "numpy",
        "requirements.lock": lock,
        f"{name}_inferencer/config.pbtxt": "",
        f"{name}_inferencer/1/model.onnx.dvc": pointer,
        f"{name}_preprocessing/config.pbtxt": "",
        f"{name}_preprocessing/1/model.py": "code",
        "tests/test_it.py": "",
        "tests/cases/one/input.json": "{}",
        "training/train.py": "",
        "README.md": "words",
    }
    return {f"models/{name}/{path}": text for path, text in files.items()}


def of(
    home: Path, *models: Mapping[str, str], library: str = "", remote: Sequence[str] = ()
) -> Repository:
    """An engine with the plugin, on a repository of `models`; `home` is the processes' HOME.

    Engines share a store, and a step's key says nothing of the home: each repository has a library
    of its own, unless two are given the same. With the options of a `remote` cache, the store is
    empty as well.
    """
    home.mkdir(exist_ok=True)
    starting = (f"--named-caches-dir={CACHES.name}", *remote)
    made = RuleRunner(
        bootstrap_args=starting,
        isolated_local_store=bool(remote),
        rules=[
            *(rule for backend in (core, python, mypy, register) for rule in backend.rules()),
            QueryRule(Addresses, [DependenciesRequest]),
            QueryRule(requests.Artifact, [requests.ArtifactRequest]),
            QueryRule(requests.Part, [requests.EnvironmentRequest]),
            QueryRule(Process, [requests.Step]),
            QueryRule(Partitions, [linting.CheckModelsRequest.PartitionRequest]),
            QueryRule(LintResult, [linting.CheckModelsRequest.Batch]),
            QueryRule(Partitions, [RuffCheckRequest.PartitionRequest]),
            QueryRule(LintResult, [RuffCheckRequest.Batch]),
            QueryRule(PytestPluginSetup, [testing.ArtifactForTestsRequest]),
        ],
        target_types=[
            kind for backend in (core, python, register) for kind in backend.target_types()
        ],
    )
    program = _pex_program()
    made.write_files(
        {
            "prelude.py": PRELUDE.read_text(),
            "slipway.toml": "",
            "locked.txt": "",
            "lib/slipway/__init__.py": "",
            "lib/slipway/__main__.py": f"# {library or uuid4()}\n{SOURCE}",
            "bootstrap/pex": program,
            **{path: text for files in models for path, text in files.items()},
        }
    )
    digest = hashlib.sha256(program.encode()).hexdigest()
    version = f"v{pex.version.__version__}"
    options = (
        "--build-file-prelude-globs=prelude.py",
        "--python-infer-use-rust-parser",
        "--slipway-source-root=lib",
        "--slipway-resolve=test",
        "--python-enable-resolves",
        "--python-resolves={'test': 'locked.txt'}",
        "--python-default-resolve=test",
        "--python-invalid-lockfile-behavior=ignore",
        "--python-interpreter-constraints=['CPython==3.9.*']",
        f"--python-bootstrap-search-path=['{os.path.dirname(os.path.realpath(sys.executable))}']",
        f"--pex-cli-version={version}",
        f"--pex-cli-url-template=file://{made.build_root}/bootstrap/pex",
        f"--pex-cli-known-versions=['{version}|linux_x86_64|{digest}|{len(program)}']",
        *starting,
    )
    environment = {"HOME": str(home), "PATH": os.environ.get("PATH", "/usr/bin:/bin")}
    made.set_options(options, env=environment)
    return Repository(made, options, environment)


def _pex_program() -> str:
    """The `pex` that Pants itself depends upon, as the one file that Pants wants to download."""
    library = Path(pex.__file__).parent.parent
    return (
        "import sys\n"
        f"sys.path.insert(0, {str(library)!r})\n"
        "from pex.bin.pex import main\n"
        "sys.exit(main())\n"
    )
