"""The shared libraries that an environment needs, and those that the serving image has."""
