"""SW22x: batching, sequences and instance groups that contradict each other."""
