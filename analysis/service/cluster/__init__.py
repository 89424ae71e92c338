"""The cluster that the service shows and submits to."""
