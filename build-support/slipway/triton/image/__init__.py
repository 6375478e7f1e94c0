"""What NVIDIA's image of a Triton release has: backends, libraries and their versions."""
