"""What stands for one of our values in foreign hands: the methods that packs commonly call, and no more."""

from typing import Any, ClassVar

from nodes.v1.runtime import NotOfferedError


class Facade:
    """A value of ours. Attributes that are not there are refused by name, so that a pack's author reads which."""

    what: ClassVar[str] = "value"

    def __init__(self, ours: Any) -> None:
        self.ours = ours

    def unwrapped(self) -> Any:
        """The value, with all that foreign code has set on this handle."""
        return self.ours

    def __getattr__(self, name: str) -> Any:
        # Python's own protocols (copying, pickling) ask for names that nobody has.
        if name.startswith("__"):
            raise AttributeError(name)
        raise NotOfferedError(f"{name!r} of a {self.what}")
