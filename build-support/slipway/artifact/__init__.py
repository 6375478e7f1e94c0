"""The artifact: ``<name>_<release version>.tar.gz``, exactly as a multi-model endpoint wants it."""
