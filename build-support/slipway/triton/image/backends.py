"""The backends in NVIDIA's images, from which SageMaker's are made.

Source: Triton server, build.py (enable_all) of each branch from r23.01 to r26.08, and its page
docs/introduction/compatibility.md.
"""

from __future__ import annotations

# in nvcr.io/nvidia/tritonserver:YY.MM-py3
BACKENDS = frozenset(
    {
        "dali",
        "fil",
        "identity",
        "onnxruntime",
        "openvino",
        "python",
        "pytorch",
        "repeat",
        "square",
        "tensorrt",
    }
)
# those that later releases no longer have
LAST_RELEASE = {"tensorflow": "25.02"}
# those that only another image has, since 23.10
OTHER_IMAGES = {
    "vllm": "nvcr.io/nvidia/tritonserver:{release}-vllm-python-py3",
    "tensorrtllm": "nvcr.io/nvidia/tritonserver:{release}-trtllm-python-py3",
}
NEEDS_GPU = frozenset({"tensorrt", "tensorrtllm", "vllm"})
