"""Tables in memory: rows by their key, and in the order of each key schema.

A journal of what stood before each write lets an index be read as it was some writes ago.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from infra.prove.fake.values import Item, Malformed, Value, Wrong, sort_key

Key = tuple[Any, Any]
"""What a row's hash and range key sort by; the range is "" where the schema has none."""
Entry = tuple[Any, Key]
"""A place in a partition: what the range key sorts by, then the row's own key."""
LONGEST_LAG = 32


class View:
    """The order of one key schema: a table's own, or an index's, which may leave rows out."""

    def __init__(
        self,
        schema: Sequence[Mapping[str, str]],
        kinds: Mapping[str, str],
        kept: frozenset[str] | None = None,
    ) -> None:
        names = {part["KeyType"]: part["AttributeName"] for part in schema}
        self.hash = names["HASH"]
        self.range = names.get("RANGE")
        self.kinds = {name: kinds[name] for name in names.values()}
        self.kept = kept
        """The attributes an index holds; None for all."""
        self.partitions: dict[Any, list[Entry]] = {}

    def place(self, item: Mapping[str, Value]) -> Key | None:
        """Where an item stands; None where it lacks an attribute of the key. Raises ``Wrong``."""
        found = self._sorted_by(item, self.hash)
        if found is None or self.range is None:
            return None if found is None else (found, "")
        below = self._sorted_by(item, self.range)
        return None if below is None else (found, below)

    def _sorted_by(self, item: Mapping[str, Value], name: str) -> Any:
        value = item.get(name)
        if value is None:
            return None
        kind = self.kinds[name]
        content = value.get(kind)
        if content is None:
            raise Wrong(f"a key of the wrong type: {name}")
        if content in ("", b""):
            raise Malformed(f"an empty key: {name}")
        return content if kind == "S" else sort_key(kind, content)

    def add(self, place: Key, key: Key) -> None:
        insort(self.partitions.setdefault(place[0], []), (place[1], key))

    def remove(self, place: Key, key: Key) -> None:
        partition = self.partitions[place[0]]
        del partition[bisect_left(partition, (place[1], key))]
        if not partition:
            del self.partitions[place[0]]

    def shown(self, item: Item) -> Item:
        """A row as this view holds it."""
        if self.kept is None:
            return item
        return {name: value for name, value in item.items() if name in self.kept}


class Table:
    """One table of the template."""

    def __init__(self, definition: Mapping[str, Any]) -> None:
        self.name: str = definition["TableName"]
        kinds = {
            one["AttributeName"]: one["AttributeType"] for one in definition["AttributeDefinitions"]
        }
        self.own = View(definition["KeySchema"], kinds)
        self.indexes = {
            index["IndexName"]: View(index["KeySchema"], kinds, self._kept(index))
            for index in definition.get("GlobalSecondaryIndexes", ())
        }
        self.rows: dict[Key, Item] = {}
        self._journal: deque[tuple[Key, Item | None]] = deque(maxlen=LONGEST_LAG)

    def _kept(self, index: Mapping[str, Any]) -> frozenset[str] | None:
        if index["Projection"]["ProjectionType"] == "ALL":
            return None
        keys = {part["AttributeName"] for part in index["KeySchema"]}
        return frozenset({*keys, *self.own.kinds, *index["Projection"].get("NonKeyAttributes", ())})

    def key_of(self, key: Mapping[str, Value]) -> Key:
        """The place of a key or of a whole row. Raises ``Wrong``."""
        place = self.own.place(key)
        if place is None:
            raise Wrong("one of the required keys was not given a value")
        return place

    def exact_key(self, key: Mapping[str, Value]) -> Key:
        """The place of a key that names nothing else. Raises ``Wrong``."""
        if key.keys() != self.own.kinds.keys():
            raise Wrong("the provided key element does not match the schema")
        return self.key_of(key)

    def check_indexed(self, item: Item) -> None:
        """Every key of an index that an item has must be of its type. Raises ``Wrong``."""
        for view in self.indexes.values():
            for name in view.kinds:
                view._sorted_by(item, name)

    def write(self, key: Key, item: Item | None) -> None:
        """Put a row in place of what stood there; None deletes."""
        before = self.rows.get(key)
        if item is None:
            if before is None:
                return
            del self.rows[key]
            self.own.remove(key, key)
        else:
            self.rows[key] = item
            if before is None:
                self.own.add(key, key)
        for view in self.indexes.values():
            was = view.place(before) if before is not None else None
            place = view.place(item) if item is not None else None
            if was != place:
                if was is not None:
                    view.remove(was, key)
                if place is not None:
                    view.add(place, key)
        self._journal.append((key, before))

    def settle(self) -> None:
        """Let every index catch up: what was written so far is read by all from now on."""
        self._journal.clear()

    def read(
        self, view: View, partition: Any, lag: int = 0
    ) -> tuple[Sequence[Entry], Callable[[Key], Item]]:
        """A partition in its order, and how its rows read, as of ``lag`` writes ago."""
        entries = view.partitions.get(partition, [])
        undone = dict(reversed(list(self._journal)[-lag:])) if lag else {}
        if not undone:
            return entries, self.rows.__getitem__
        then = [entry for entry in entries if entry[1] not in undone]
        for key, item in undone.items():
            place = view.place(item) if item is not None else None
            if place is not None and place[0] == partition:
                then.append((place[1], key))
        return sorted(then), lambda key: undone.get(key) or self.rows[key]


Bounds = tuple[str, tuple[Any, ...]]
"""What a key condition asks of the range key: its comparator and operands."""


def within(entries: Sequence[Entry], bounds: Bounds | None) -> tuple[int, int]:
    """The first entry within some bounds, and the first one after them."""
    if bounds is None:
        return 0, len(entries)
    comparator, operands = bounds
    first, last = operands[0], operands[-1]
    if comparator == "begins_with":
        start = bisect_left(entries, first, key=_range)
        end = start
        while end < len(entries) and entries[end][0].startswith(first):
            end += 1
        return start, end
    start = 0
    end = len(entries)
    if comparator in ("=", ">=", "BETWEEN"):
        start = bisect_left(entries, first, key=_range)
    elif comparator == ">":
        start = bisect_right(entries, first, key=_range)
    if comparator in ("=", "<=", "BETWEEN"):
        end = bisect_right(entries, last, key=_range)
    elif comparator == "<":
        end = bisect_left(entries, first, key=_range)
    return start, max(start, end)


def _range(entry: Entry) -> Any:
    return entry[0]
