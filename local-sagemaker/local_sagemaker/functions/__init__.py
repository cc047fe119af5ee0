"""The data plane of Lambda: functions in processes of their own, kept warm between invocations."""
