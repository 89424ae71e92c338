"""Studies as they are now."""
