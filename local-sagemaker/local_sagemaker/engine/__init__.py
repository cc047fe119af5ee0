"""Pipeline executions: definition -> graph -> steps -> operations.

A definition is parsed and checked once (`definition`, `validation`), an execution then launches each step when the
graph lets it (`readiness`), as the AWS operation that the step stands for (`steps/<type>.py`), and waits for the
events of the jobs that it made (`execution`). What happens is written down first (`journal`), so that an execution
continues after the service was killed.
"""
