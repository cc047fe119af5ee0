"""Model Monitor: job definitions, schedules, their executions and alerts."""
