"""Model servers as processes, for endpoints and batch transform."""
