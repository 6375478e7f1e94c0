"""Rules SW401 to SW499: ensembles."""
