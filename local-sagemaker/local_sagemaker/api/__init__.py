"""AWS's description of its services, and the spine: operations, their validation, and `call`."""
