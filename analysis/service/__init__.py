"""The study service: pages over a results folder for a browser; `analysis.service.server` starts it."""
