"""The tensors of a model folder: those of graphs, and those that an ensemble passes on."""
