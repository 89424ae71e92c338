"""What is wrong with an input, in words with the place of each."""
