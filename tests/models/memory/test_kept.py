"""What is kept within a budget of bytes."""

from models.memory import Kept


def text_of(length: int) -> str:
    return "x" * length


def test_the_value_used_longest_ago_goes_first() -> None:
    kept: Kept[str] = Kept(budget=10, measure=len)
    made: list[str] = []

    def get(key: str, size: int) -> str:
        def make() -> str:
            made.append(key)
            return text_of(size)

        return kept.get(key, size, make)

    for key in ("a", "b", "a", "c", "a", "b"):
        get(key, 4)
    assert made == ["a", "b", "c", "b"]


def test_room_is_made_before_a_value_is_made() -> None:
    kept: Kept[str] = Kept(budget=10, measure=len)
    kept.get("a", 8, lambda: text_of(8))
    kept.get("b", 8, lambda: text_of(8) if not kept._values else "too late")
    assert kept.get("b", 8, lambda: "forgotten") == text_of(8)


def test_a_value_larger_than_the_budget_is_kept_alone() -> None:
    kept: Kept[str] = Kept(budget=10, measure=len)
    kept.get("small", 4, lambda: text_of(4))
    large = kept.get("large", 4, lambda: text_of(40))
    assert kept.get("large", 4, lambda: "again") is large
    assert kept.get("small", 4, lambda: "again") == "again"
