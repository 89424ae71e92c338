"""Figures of intervals."""
