"""Pure analysis: tables in, reports out.

Data quality, model quality, bias and explainability as SageMaker Model Monitor and Clarify report them. Nothing here
knows a job, a path or a service: `containers/analyzers` wraps it with the containers' contracts.
"""
