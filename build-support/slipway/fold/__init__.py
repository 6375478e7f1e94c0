"""Fold the arithmetic of a postprocessing into the ONNX graph before it."""
