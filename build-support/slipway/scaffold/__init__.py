"""New model folders: around an ONNX file, or as a working sample."""
