"""SNS beyond moto: what topics send to functions and to HTTP endpoints, and how the latter confirm."""
