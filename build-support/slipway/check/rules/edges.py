"""SW42x: type, shape and batch at both ends of an edge of an ensemble."""
