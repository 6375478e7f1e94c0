"""What `slipway lock` asks uv and an index: versions, files, sizes, and why there is no lock."""
