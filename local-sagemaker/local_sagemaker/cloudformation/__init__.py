"""CloudFormation without its API: templates are read, resolved and compared here. Pure; stacks are a service's work.

Subset and texts: contracts: delivery 2.
"""
