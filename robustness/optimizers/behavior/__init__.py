"""What an optimizer of torch's kind does, found by stepping it on a few small tensors: nothing in its code says so."""
