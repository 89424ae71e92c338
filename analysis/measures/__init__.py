"""Measures of maps and of cells, and how two optimizers differ in them."""
