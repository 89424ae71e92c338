"""What a worker does with a stack: train it, set it down, store it. Needs no Ray."""
