"""Monitoring schedules without their records: when they are due, which hours they look at, which jobs they start."""
