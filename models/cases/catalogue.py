"""A list of categories: what a code means in it, in which order it is shown, how it is searched."""

from __future__ import annotations

from dataclasses import dataclass, field

from models.cases.entities import Category

_NEVER = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """The categories of one version."""

    version: str
    categories: tuple[Category, ...]
    _by_code: dict[str, Category] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_code = {category.code: category for category in self.categories}
        object.__setattr__(self, "_by_code", by_code)

    def find(self, code: str) -> Category | None:
        """Look up a category that can be reported; None for any other code."""
        category = self._by_code.get(code)
        return category if category is not None and category.enabled else None

    def of(self, code: str) -> Category:
        """The category of a stored case. Raises ``KeyError`` for a code that never stood here."""
        return self._by_code[code]

    def offered(self) -> list[Category]:
        """What can be reported: the big icons in their order, then the rest, danger first."""
        return sorted(
            (category for category in self.categories if category.enabled),
            key=lambda one: (one.featured is None, one.featured or 0, one.severity),
        )

    def search(self, words: str) -> list[Category]:
        """What can be reported and answers to ``words``, best first; nothing for no words.

        Words are sought in names, codes, synonyms and the first letters of Chinese ones; of several
        words each must be found.
        """
        sought = [word.casefold() for word in words.split()]
        ranked = [(_rank(category, sought), category) for category in self.offered()]
        found = [one for one in ranked if one[0] < _NEVER]
        return [category for _, category in sorted(found, key=lambda one: one[0])]


def _rank(category: Category, sought: list[str]) -> int:
    """How well a category answers: 0 named so, 1 a name begins so, 2 a keyword does, 3 inside."""
    return max((_rank_of(category, word) for word in sought), default=_NEVER)


def _rank_of(category: Category, word: str) -> int:
    names = [text.casefold() for text in (category.code, category.zh, category.en)]
    keywords = [text.casefold() for text in category.keywords]
    if word in names:
        return 0
    if any(name.startswith(word) for name in names):
        return 1
    if any(keyword.startswith(word) for keyword in keywords):
        return 2
    return 3 if any(word in text for text in (*names, *keywords)) else _NEVER
