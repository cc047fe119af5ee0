"""A model that was trained on this machine, served by the built-in container behind Lambda and a REST API."""
