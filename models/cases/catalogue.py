"""A list of categories: what a code means in it, and whether it can be reported."""

from __future__ import annotations

from dataclasses import dataclass, field

from models.cases.entities import Category


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """The categories of one version, in the order of their icons."""

    version: str
    categories: tuple[Category, ...]
    _by_code: dict[str, Category] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_code = {category.code: category for category in self.categories}
        object.__setattr__(self, "_by_code", by_code)

    def find(self, code: str) -> Category | None:
        """Look up a category that can be reported; None for any other code."""
        return self._by_code.get(code)

    def of(self, code: str) -> Category:
        """The category of a stored case. Raises ``KeyError`` for a code that never stood here."""
        return self._by_code[code]
