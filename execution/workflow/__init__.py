"""From the editor's document to the graph that is run: the one implementation of what a drawing means."""

from execution.workflow.convert import to_graph
from execution.workflow.document import WorkflowError
from execution.workflow.known import KnownDrawings

__all__ = ["KnownDrawings", "WorkflowError", "to_graph"]
