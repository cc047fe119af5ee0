"""Pure analysis: tables in, reports out. Nothing here knows a job, a path or a service."""
