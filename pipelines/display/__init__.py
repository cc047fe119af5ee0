"""A pipeline and its executions as a notebook shows them: the graph, tables, and progress while one waits.

The flow is ``graph`` (which step needs which) -> ``layout`` (where each is drawn) -> ``drawing`` (SVG and HTML) ->
``views``, which is what a notebook uses.
"""

from pipelines.display.views import ExecutionView, PipelineView

__all__ = ["ExecutionView", "PipelineView"]
