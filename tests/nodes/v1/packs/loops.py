"""A loop in the style of packs: its end puts a copy of all between its beginning and itself in its own place."""

from comfy_execution.graph import ExecutionBlocker
from comfy_execution.graph_utils import GraphBuilder, is_link

VALUES = 2


class LoopStart:
    @classmethod
    def INPUT_TYPES(cls):
        return {
            "required": {"goes_on": ("BOOLEAN", {"default": True})},
            "optional": {f"value{n}": ("*",) for n in range(VALUES)},
        }

    RETURN_TYPES = ("FLOW_CONTROL", *["*"] * VALUES)
    FUNCTION = "start"
    CATEGORY = "loops"

    def start(self, goes_on, **values):
        given = [values.get(f"value{n}") for n in range(VALUES)]
        return ("loop", *(given if goes_on else [ExecutionBlocker(None)] * VALUES))


class LoopEnd:
    @classmethod
    def INPUT_TYPES(cls):
        return {
            "required": {"loop": ("FLOW_CONTROL", {"rawLink": True}), "goes_on": ("BOOLEAN", {"forceInput": True})},
            "optional": {f"value{n}": ("*",) for n in range(VALUES)},
            "hidden": {"dynprompt": "DYNPROMPT", "unique_id": "UNIQUE_ID"},
        }

    RETURN_TYPES = tuple(["*"] * VALUES)
    FUNCTION = "end"
    CATEGORY = "loops"

    def end(self, loop, goes_on, dynprompt, unique_id, **values):
        given = [values.get(f"value{n}") for n in range(VALUES)]
        if not goes_on:
            return tuple(given)
        body = self.body(loop[0], unique_id, dynprompt)
        graph = GraphBuilder()
        for node_id in body:
            name = "again" if node_id == unique_id else node_id
            graph.node(dynprompt.get_node(node_id)["class_type"], name).set_override_display_id(node_id)
        for node_id in body:
            copy = graph.lookup_node("again" if node_id == unique_id else node_id)
            for name, value in dynprompt.get_node(node_id)["inputs"].items():
                inside = is_link(value) and value[0] in body
                copy.set_input(name, graph.lookup_node(value[0]).out(value[1]) if inside else value)
        for n, value in enumerate(given):
            graph.lookup_node(loop[0]).set_input(f"value{n}", value)
        again = graph.lookup_node("again")
        return {"result": tuple(again.out(n) for n in range(VALUES)), "expand": graph.finalize()}

    def body(self, start, end, dynprompt):
        """The nodes that lie between the beginning and the end, both included."""
        reads = {}
        waiting = [end]
        while waiting:
            node_id = waiting.pop()
            if node_id not in reads:
                links = [value for value in dynprompt.get_node(node_id)["inputs"].values() if is_link(value)]
                reads[node_id] = {link[0] for link in links}
                waiting += reads[node_id]
        found = {start}
        while True:
            more = {node_id for node_id, sources in reads.items() if sources & found} - found
            if not more:
                return sorted(found)
            found |= more


class CountDown:
    @classmethod
    def INPUT_TYPES(cls):
        return {
            "required": {"count": ("INT", {"default": 0, "min": 0, "max": 100000}), "step": ("INT", {"default": 1})}
        }

    RETURN_TYPES = ("INT", "BOOLEAN")
    FUNCTION = "down"
    CATEGORY = "loops"

    def down(self, count, step):
        return (count - step, count - step > 0)


NODE_CLASS_MAPPINGS = {"Test LoopStart": LoopStart, "Test LoopEnd": LoopEnd, "Test CountDown": CountDown}
