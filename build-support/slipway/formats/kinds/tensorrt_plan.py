"""TensorRT engines, passed through: with what they were built for, which the file does not tell.

An engine begins with a tag and the number of its own format (netron, source/tensorrt.js). Neither
says which TensorRT, nor which GPU; nothing but that TensorRT on that GPU can tell what the engine
takes. So the user says it, and it is recorded.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from slipway.errors import SlipwayError
from slipway.formats.contents import Contents
from slipway.formats.format import (
    Array,
    Arrays,
    Cause,
    Choice,
    Converted,
    Options,
    Recognised,
    Tensor,
)
from slipway.triton.image.tensorrt import MATRIX, VERSIONS, differs

TAGS = (b"ptrt", b"ftrt")
FILE = "model.plan"
TENSORRT, GPU, BATCH = "tensorrt", "gpu", "max_batch_size"  # settings
TENSOR = re.compile(r"(?P<name>\w+):(?P<type>[A-Z]+\d*):(?P<dims>-?\d+(?:,-?\d+)*)")
# tensorrt_backend, src/tensorrt_utils.cc: ConvertTrtTypeToConfigDataType
TYPES = ("BOOL", "UINT8", "INT8", "INT32", "INT64", "FP16", "FP32")
EXAMPLES = {
    TENSORRT: "10.9.0",
    GPU: "8.6",
    "input": "'images:FP32:3,224,224'",
    "output": "'scores:FP32:1000'",
}


class TensorRtPlan:
    """See :class:`slipway.formats.format.Format`."""

    name = "tensorrt_plan"
    title = "a TensorRT engine"

    def recognise(self, contents: Contents) -> Recognised | None:
        """Return what begins as an engine; one with other data in front of it is refused."""
        head = contents.head
        if head[3:5] == b"\0{" and head[4 + int.from_bytes(head[:4], "little") :][:4] in TAGS:
            length = 4 + int.from_bytes(head[:4], "little")
            raise SlipwayError(
                f"a TensorRT engine behind {length} bytes of Ultralytics' metadata, which TensorRT"
                " does not read",
                where=str(contents.path),
                fix=f"tail -c +{length + 1} {contents.path.name} > {FILE}",
            )
        if head[:4] not in TAGS:
            return None
        number = int.from_bytes(head[4:8], "little")
        return Recognised(
            f"a TensorRT engine (its format's number is {number})", {"number": number}
        )

    def choose(self, recognised: Recognised, triton: str) -> Choice:
        """Return TensorRT, which alone runs it."""
        reason = "TensorRT alone runs an engine, in the version and on the GPU that built it"
        return Choice("tensorrt", reason)

    def requirements(self, recognised: Recognised, backend: str) -> str:
        """Return a lock of numpy alone: nothing here opens the engine."""
        return "tensorrt_plan.txt"

    def convert(self, source: Path, out: Path, options: Options) -> Converted:
        """Copy the engine; what it was built for has to fit the release.

        Raises:
            SlipwayError: a setting is missing, or the release has another TensorRT.
        """
        settings = options.settings
        missing = [name for name in EXAMPLES if not settings.get(name)]
        if missing:
            raise SlipwayError(
                f"the engine does not tell {_listed(missing)}",
                where=str(source),
                fix=" ".join(f"--set {name}={EXAMPLES[name]}" for name in missing),
            )
        version, release = settings[TENSORRT], options.triton
        other = differs(version, release)
        if other:
            raise SlipwayError(
                f"the engine is of TensorRT {version}, and Triton {release} has"
                f" {VERSIONS[release]}, which does not load it",
                where=str(source),
                fix=f"build it in the image of Triton {release}: trtexec --saveEngine={FILE};"
                " or serve with a release that has its version",
            )
        shutil.copyfile(source, out / FILE)
        notes = [f"the engine runs on GPUs of compute capability {settings[GPU]} only"]
        if other is None:
            notes.append(
                f"which TensorRT Triton {release} has is not known here, so {version} was not"
                f" compared: see {MATRIX}"
            )
        return Converted(
            backend="tensorrt",
            files=(FILE,),
            inputs=_tensors("input", settings["input"]),
            outputs=_tensors("output", settings["output"]),
            notes=tuple(notes),
            versions={"tensorrt": version, "compute capability": settings[GPU]},
            max_batch_size=int(settings.get(BATCH, "0")),
            gpu=True,
        )

    def reference(
        self, source: Path, rows: Arrays, converted: Converted, options: Options
    ) -> dict[str, Array]:
        """Return nothing: the engine runs on its GPU only, and is not compared."""
        return {}

    def causes(
        self, source: Path, converted: Converted, rows: Arrays, differs: Array
    ) -> tuple[Cause, ...]:
        """Return nothing."""
        return ()


def _tensors(side: str, setting: str) -> tuple[Tensor, ...]:
    tensors = []
    for item in setting.split(";"):
        match = TENSOR.fullmatch(item.strip())
        if match is None or match["type"] not in TYPES:
            raise SlipwayError(
                f"--set {side}={setting}: {item.strip()!r} is no tensor of TensorRT"
                f" ({', '.join(TYPES)})",
                fix=f"--set {side}={EXAMPLES[side]}",
            )
        dims = tuple(map(int, match["dims"].split(",")))
        tensors.append(Tensor(match["name"], match["type"], dims))
    return tuple(tensors)


def _listed(names: list[str]) -> str:
    what = {
        TENSORRT: "which TensorRT built it",
        GPU: "for which compute capability",
        "input": "its inputs",
        "output": "its outputs",
    }
    return ", ".join(what[name] for name in names)


FORMAT = TensorRtPlan()
