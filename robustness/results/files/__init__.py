"""Folders of results: on a disk, in an object store; whole files or none."""
