"""Claims as data: what can be said of optimizers, and the paper's sentences."""
