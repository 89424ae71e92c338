"""The page of a study's maps."""
