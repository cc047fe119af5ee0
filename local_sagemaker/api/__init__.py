"""AWS's description of its operations, as far as more than the wire needs it."""
