"""Read models: pure functions from the answers of operations to what pages show."""
