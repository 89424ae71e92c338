"""Figures of lines and points."""
