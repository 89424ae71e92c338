"""What a machine leaves to a process: its cores, and a home."""
