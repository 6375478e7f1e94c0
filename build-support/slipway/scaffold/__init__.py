"""Create model folders, from an ONNX file or from a sample's templates."""
