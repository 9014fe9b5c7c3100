"""Figures beside the limits that the program is to keep."""


class Verdicts:
    """Rows of a table that tells of each figure whether its limit holds."""

    def __init__(self) -> None:
        self._rows: list[str] = []

    def at_most(self, what: str, limit: float, measured: float) -> None:
        self._add(what, f"≤ {limit:g}", measured, measured <= limit)

    def at_least(self, what: str, limit: float, measured: float) -> None:
        self._add(what, f"≥ {limit:g}", measured, measured >= limit)

    def print(self) -> None:
        """Prints the table after an empty line."""
        print("\n| what | limit | measured | |\n| --- | ---: | ---: | --- |")
        print("\n".join(self._rows))

    def _add(self, what: str, limit: str, measured: float, holds: bool) -> None:
        self._rows.append(f"| {what} | {limit} | {measured:.3g} | {'holds' if holds else 'MISSED'} |")
