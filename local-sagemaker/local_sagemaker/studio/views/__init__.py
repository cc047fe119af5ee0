"""Read models: pure functions from the responses of operations to what pages show."""
