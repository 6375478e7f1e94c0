"""The files of captures: in a folder or a bucket, open and complete."""
