"""Errors that more than one room raises."""


class ClusterError(Exception):
    """Ray could not be started or reached."""
