"""The columns of the results, and tables of them in memory and in Parquet."""
