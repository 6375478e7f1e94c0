"""SW40x: the steps and maps of an ensemble."""
