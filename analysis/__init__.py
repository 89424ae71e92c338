"""Look at results: landscapes, measures of their basins, figures, the report. Loads neither torch nor ray."""
