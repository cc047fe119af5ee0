"""Model servers as processes, and what is asked of them: endpoints, batch transform."""
