"""EventBridge without its API: patterns, inputs of targets, schedules. Pure (contracts: delivery 5)."""
