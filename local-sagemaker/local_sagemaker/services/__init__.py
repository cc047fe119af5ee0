"""AWS services: dicts in, dicts out. One folder per service, one class per resource."""
