"""Writes a request with binary tensors, and the header that says where the JSON in it ends."""

import json
import struct
from pathlib import Path

tensors = {"A": (1, 2, 3, 4), "B": (10, 20, 30, 40)}
data = {name: struct.pack("<4f", *numbers) for name, numbers in tensors.items()}
head = {
    "inputs": [
        {
            "name": name,
            "shape": [1, 4],
            "datatype": "FP32",
            "parameters": {"binary_data_size": len(data[name])},
        }
        for name in tensors
    ]
}
text = json.dumps(head).encode()
Path("request.bin").write_bytes(text + b"".join(data.values()))
# Triton looks for exactly this: no space after the semicolon
kind = f"application/vnd.sagemaker-triton.binary+json;json-header-size={len(text)}"
Path("header.txt").write_text(f"Content-Type: {kind}\n")
