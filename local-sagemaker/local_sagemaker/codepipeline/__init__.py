"""Definitions of delivery pipelines: checks, variables, the filters of triggers (contracts: delivery 4.1)."""
