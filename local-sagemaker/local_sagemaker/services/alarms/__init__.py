"""CloudWatch alarms at work: their states over time, their history and their actions."""
