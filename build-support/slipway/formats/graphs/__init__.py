"""Repair ONNX graphs, and write those of forests. Runs in conversion environments, which have onnx.

Each function changes a ``ModelProto`` in place, and returns what it changed, one sentence each.
"""
