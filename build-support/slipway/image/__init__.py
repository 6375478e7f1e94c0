"""OCI images of models: one file that any container engine runs, made without one."""
