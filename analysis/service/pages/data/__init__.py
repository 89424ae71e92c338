"""The page of a study's table."""
