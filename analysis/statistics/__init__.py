"""Statistics by themselves: intervals, bootstrap, comparisons."""
