"""Run a program that is not trusted: without network, files, time and memory beyond its task."""
