"""MODEL BUILD: SageMaker pipeline definitions and the two commands that build, start and follow them.

Speaks boto3 and the SageMaker Python SDK only, so that the same files run on AWS and, with ``--local``, on this
machine. Each folder below is one pipeline with a ``get_pipeline``.
"""
