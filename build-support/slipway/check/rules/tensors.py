"""SW21x: inputs, outputs, types, dims, batches."""
