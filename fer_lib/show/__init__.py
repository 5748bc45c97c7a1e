"""What a reader sees: plots and the report."""
