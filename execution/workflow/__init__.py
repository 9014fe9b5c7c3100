"""From the editor's document to the graph that is run: the one implementation of what a drawing means."""

from execution.workflow.convert import to_graph
from execution.workflow.document import WorkflowError

__all__ = ["WorkflowError", "to_graph"]
