"""What the programs of the deployment and the monitoring repository share.

These programs are shipped into repositories of their own (``delivery/project``), so they import nothing of this project
but this package, and need only boto3 and jsonschema.
"""
