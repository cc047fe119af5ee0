"""What runs, endpoints, monitors and the delivery cost on AWS.

The prices are a dated table in this package (``prices.json``); ``delivery cost`` prints the estimates, ``run-pipeline``
that of its execution. The table is here and not in ``delivery``, since the modelbuild repository has only this package.
"""
