"""The report: its words, its tables, its page."""
