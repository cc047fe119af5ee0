"""What happens after a model is registered: versions, approval, endpoints, invocation, and the end of all that.

Speaks boto3 (and the SageMaker SDK for image URIs), and so works on AWS and on the service on this machine alike.
"""
