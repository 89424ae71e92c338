"""Speed, always as a ratio against a peer in the same run."""

import os

# What is published would be taken, and not trained.
os.environ["ROBUSTNESS_PUBLISHED"] = ""
