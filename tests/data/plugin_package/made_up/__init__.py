"""One optimizer, one workload, one measure and one figure for hyperparameter-robustness."""
