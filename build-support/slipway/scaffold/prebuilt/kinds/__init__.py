"""One module a prebuilt model; each has a KIND."""
