"""All that is shown of a study, gathered once, workload by workload."""
