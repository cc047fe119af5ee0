"""Delivery pipelines' definitions: their checks, their variables, the filters of their triggers (delivery 4.1)."""
