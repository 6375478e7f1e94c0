"""The server's command line and environment, as SageMaker's ``serve`` script sets them."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from slipway.environment.libraries.image import OLDEST_KNOWN, serving_image
from slipway.process import run
from slipway.server import backends
from slipway.server.hide_libraries import ALL_VISIBLE
from slipway.server.source import Source
from slipway.server.standins import FOLDER, VARIABLE
from slipway.triton.standins import STANDINS

# all that a model sees of the machine's environment: the endpoint sets nothing else either
INHERITED_VARIABLES = (
    "HOME",
    "USER",
    "LANG",
    "LC_ALL",
    "TZ",
    "OMP_NUM_THREADS",
    "CUDA_VISIBLE_DEVICES",
)
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
CONTAINER_MODELS = Path("/opt/ml/models")
HIDE_LIBRARIES = Path(__file__).with_name("hide_libraries.py")
LIBRARIES = "libraries"
PYTHON_BASED = ("python", "onnxruntime", *sorted(STANDINS))


@dataclass(frozen=True)
class Command:
    """How to start one server. ``after`` runs once it has ended; empty for nothing."""

    argv: list[str]
    env: dict[str, str]
    after: list[str] = field(default_factory=list)


def flags(
    repository: Path, port: int, shm_prefix: str, *, verbose: bool, auto_complete: bool
) -> list[str]:
    """Return the flags of ``serve`` in multi-model mode (docker/sagemaker/serve in Triton's
    sources).

    Three differ. Auto-complete is off unless asked for: where configs are explicit, a load takes
    0.3 s instead of 1.5 s. So is verbose logging, which costs 12 to 30 % of the throughput.
    And shared memory has a prefix of its own, by which it can be removed.
    """
    shm = (
        "shm-default-byte-size=16777216",
        "shm-growth-byte-size=1048576",
        f"shm-region-prefix-name={shm_prefix}",
    )
    return [
        "--allow-sagemaker=true",
        "--allow-http=false",
        "--allow-grpc=false",
        "--allow-metrics=false",
        "--model-control-mode=explicit",
        "--model-namespacing=true",
        *([] if auto_complete else ["--disable-auto-complete-config"]),
        f"--model-repository={repository}",
        f"--sagemaker-port={port}",
        f"--log-verbose={int(verbose)}",
        *(f"--backend-config={name},{s}" for name in PYTHON_BASED for s in shm),
    ]


def with_statistics(argv: list[str], port: int) -> list[str]:
    """Return a server's command whose own HTTP port listens on loopback."""
    changed = ["--allow-http=true" if word == "--allow-http=false" else word for word in argv]
    return [*changed, "--http-address=127.0.0.1", f"--http-port={port}"]


def native_command(
    source: Source,
    python: str,
    arguments: list[str],
    directory: Path,
    extra: Mapping[str, str],
    release: str,
) -> Command:
    """Return the command of a server on this machine: the one on PATH, or the wheel's.

    ``directory`` is the server's own, with its temporary files in ``tmp``. The wheel's server sees
    no more of this machine's libraries than the image of Triton ``release`` has.
    """
    env = {name: os.environ[name] for name in INHERITED_VARIABLES if name in os.environ}
    env |= {
        "PATH": SYSTEM_PATH,
        "TMPDIR": str(directory / "tmp"),
        "SAGEMAKER_TRITON_PING_MODE": "live",
    }
    argv = [str(source.program), *arguments]
    if source.kind == "path":
        env["PATH"] = os.environ["PATH"]
        env["LD_LIBRARY_PATH"] = os.environ.get("LD_LIBRARY_PATH", "")
    else:
        # the stub looks for its standard library next to the first python3 on PATH
        env["PATH"] = f"{Path(sys.base_prefix) / 'bin'}:{SYSTEM_PATH}"
        folders = backends.library_folders(source, python)
        env["LD_LIBRARY_PATH"] = ":".join(str(folder) for folder in folders)
        onnxruntime = backends.onnxruntime_folders(source)
        env[VARIABLE] = str(directory / FOLDER)
        env["SLIPWAY_ONNXRUNTIME_PATH"] = ":".join(str(folder) for folder in onnxruntime)
        argv.append(f"--backend-directory={backends.prepare(source, python)}")
        argv = [*_hiding_libraries(directory / LIBRARIES, python, release), *argv]
    return Command(argv, env | dict(extra))


def _hiding_libraries(folder: Path, python: str, release: str) -> list[str]:
    """Return the command that runs another one with the libraries of ``release``'s image only.

    Any version of a library may be seen that the image has in one: this machine's Python, in which
    the ONNX backend runs, needs its own. What an environment needs is checked when it is built.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = serving_image(max(release, OLDEST_KNOWN)).libraries | {f"libpython{python}.so"}
    visible = sorted({f"{name.partition('.so')[0]}.so" for name in names})
    orders = json.dumps({"folder": str(folder), "visible": visible})
    return [sys.executable, "-I", "-S", str(HIDE_LIBRARIES), orders]


def visible_libraries(directory: Path) -> str | None:
    """Return why the server in ``directory`` sees all libraries of this machine, if it does."""
    file = directory / LIBRARIES / ALL_VISIBLE
    return file.read_text(encoding="utf-8").strip() if file.is_file() else None


def docker_command(
    source: Source,
    arguments: list[str],
    models: Path,
    name: str,
    port: int,
    extra: Mapping[str, str],
) -> Command:
    """Return the command of NVIDIA's container, in which ``models`` is /opt/ml/models.

    Raises:
        SlipwayError: the image is not present and cannot be pulled.
    """
    program = str(source.program)
    if source.absent:
        run(
            [program, "pull", "--quiet", str(source.image)],
            what=f"pulling {source.image}",
            fix="correct triton.docker_image in slipway.toml, or log in to its registry",
        )
    variables = {"SAGEMAKER_TRITON_PING_MODE": "live", "HOME": "/tmp", **extra}
    argv = [program, "run", "--rm", "--init", f"--name={name}", "--network=bridge"]
    argv += [f"--publish=127.0.0.1:{port}:{port}", f"--volume={models}:{CONTAINER_MODELS}"]
    argv += [f"--user={os.getuid()}:{os.getgid()}", "--shm-size=1g"]
    argv += [f"--env={key}={value}" for key, value in variables.items()]
    argv += ["--gpus=all"] if has_gpu() else []
    argv += [str(source.image), "tritonserver", *arguments]
    # a killed client leaves its container running
    return Command(argv, dict(os.environ), [program, "rm", "--force", name])


def has_gpu() -> bool:
    """Return whether the kernel has an NVIDIA device."""
    return Path("/dev/nvidia0").exists()
