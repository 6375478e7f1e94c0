"""What a release was made from: its training run, data, parameters, code and image."""
