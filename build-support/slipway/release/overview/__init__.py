"""Look at what each name serves, and at what is wrong."""
