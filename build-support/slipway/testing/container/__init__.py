"""Tests of a model that a container of its own serves: as a process, from its artifact."""
