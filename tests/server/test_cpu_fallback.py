"""GPU settings on a machine without a GPU."""

from __future__ import annotations

from pathlib import Path

from slipway.server import cpu_fallback
from slipway.triton import config

GPU = """
name: "x_inferencer"
backend: "onnxruntime"
instance_group { kind: KIND_GPU count: 2 gpus: [0, 1] }
optimization {
  cuda { graphs: true }
  graph { level: 1 }
  execution_accelerators {
    gpu_execution_accelerator {
      name: "tensorrt" parameters { key: "precision_mode" value: "FP16" }
    }
    cpu_execution_accelerator { name: "openvino" }
  }
}
"""


def write(repository: Path, name: str, text: str) -> Path:
    """A config in a model repository."""
    path = repository / name / "config.pbtxt"
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")
    return path


def test_what_needs_a_gpu_goes_and_everything_else_stays(tmp_path: Path) -> None:
    path = write(tmp_path, "x_inferencer", GPU)
    assert cpu_fallback.to_cpu(tmp_path) == (
        "x_inferencer: KIND_GPU → KIND_CPU",
        "x_inferencer: without the accelerator tensorrt",
        "x_inferencer: without CUDA graphs",
    )
    lowered = config.load_config(path)
    (group,) = lowered.instance_group
    assert (group.kind, group.count, list(group.gpus)) == (group.KIND_CPU, 2, [])
    accelerators = lowered.optimization.execution_accelerators
    assert [a.name for a in accelerators.cpu_execution_accelerator] == ["openvino"]
    assert not accelerators.gpu_execution_accelerator
    assert lowered.optimization.graph.level == 1
    assert cpu_fallback.to_cpu(tmp_path) == ()


def test_the_arena_of_a_gpu_does_not_shrink_where_there_is_none(tmp_path: Path) -> None:
    shrink = (
        'parameters { key: "memory.enable_memory_arena_shrinkage" value { string_value: "%s" } }'
    )
    gpu, cpu = "instance_group { kind: KIND_GPU }", "instance_group { kind: KIND_CPU }"
    for number, (group, before, after) in enumerate(
        [(gpu, "cpu:0;gpu:0", "cpu:0"), (gpu, "gpu:0", None), (cpu, "gpu:0", "gpu:0")]
    ):
        path = write(tmp_path, f"m{number}", f'name: "m{number}" {group} {shrink % before}')
        cpu_fallback.to_cpu(tmp_path)
        values = config.load_config(path).parameters
        assert [value.string_value for value in values.values()] == ([after] if after else [])


def test_a_config_for_the_cpu_keeps_its_bytes(tmp_path: Path) -> None:
    text = 'name: "x"  # as written\nbackend: "python"\ninstance_group { kind: KIND_CPU }\n'
    path = write(tmp_path, "x", text)
    assert cpu_fallback.to_cpu(tmp_path) == ()
    assert path.read_text(encoding="utf-8") == text
