"""Pages of a query or a scan, in the order of a table or of an index."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from infra.prove.fake import parsing
from infra.prove.fake.expressions import Values, find, test_of
from infra.prove.fake.parsing import Names, Node, Path, bound, check_used, frozen
from infra.prove.fake.tables import Bounds, Entry, Key, Table, View, within
from infra.prove.fake.values import Item, Value, Wrong, sort_key

Request = Mapping[str, Any]
Answer = dict[str, Any]
Row = Callable[[Key], Item]


def query(table: Table, request: Request, lag: int) -> Answer:
    """One page of a partition; an index's as of ``lag`` writes ago. Raises ``Wrong``."""
    view = _view(table, request)
    names, values = frozen(request.get("ExpressionAttributeNames")), bound(request)
    tree, used = parsing.condition(request["KeyConditionExpression"], names)
    partition, bounds = _key_condition(tree, view, values)
    entries, row = table.read(view, partition, lag if view is not table.own else 0)
    start, end = within(entries, bounds)
    forward = request.get("ScanIndexForward", True)
    after = request.get("ExclusiveStartKey")
    if after is not None:
        entry = _entry(table, view, after)
        if forward:
            start = max(start, bisect_right(entries, entry))
        else:
            end = min(end, bisect_left(entries, entry))
    chosen = entries[start : max(start, end)]
    return _page(table, view, request, chosen if forward else reversed(chosen), row, used)


def scan(table: Table, request: Request) -> Answer:
    """One page of a whole table or index, in no order that means anything. Raises ``Wrong``."""
    view = _view(table, request)
    entries: list[Entry] = [entry for part in view.partitions.values() for entry in part]
    after = request.get("ExclusiveStartKey")
    if after is not None:
        # A table's partitions stand as they came; the row may be gone, its partition too.
        last = table.key_of(after)
        keys = [key for _, key in entries]
        if last not in keys:
            raise NotImplementedError("a scan that goes on after a row that is gone")
        entries = entries[keys.index(last) + 1 :]
    return _page(table, view, request, entries, table.rows.__getitem__, frozenset())


def projected(item: Item, request: Request) -> Item:
    """The attributes that a request wants, in a dictionary of its own. Raises ``Wrong``."""
    text = request.get("ProjectionExpression")
    if text is None:
        return dict(item)
    paths, _ = parsing.projection(text, frozen(request.get("ExpressionAttributeNames")))
    return _picked(item, paths)


def _view(table: Table, request: Request) -> View:
    name = request.get("IndexName")
    if name is None:
        return table.own
    if name not in table.indexes:
        raise Wrong(f"the table does not have the specified index: {name}")
    if request.get("ConsistentRead"):
        raise Wrong("consistent reads are not supported on global secondary indexes")
    return table.indexes[name]


def _entry(table: Table, view: View, key: Mapping[str, Value]) -> Entry:
    place = view.place(key)
    if place is None or key.keys() != {*view.kinds, *table.own.kinds}:
        raise Wrong("the provided starting key is invalid")
    return place[1], table.key_of(key)


def _key_condition(tree: Node, view: View, values: Values) -> tuple[Any, Bounds | None]:
    """The partition that is asked for, and what is asked of the range key. Raises ``Wrong``."""
    parts = [tree[1], tree[2]] if tree[0] == "AND" else [tree]
    partition: Any = None
    bounds: Bounds | None = None
    for comparator, (kind, path), *operands in parts:
        name = path[0] if kind == "path" and len(path) == 1 else None
        contents = tuple(_content(view, name, operand, values) for operand in operands)
        if comparator == "BETWEEN" and contents[1] < contents[0]:
            raise Wrong("the BETWEEN operator requires its bounds in ascending order")
        if name == view.hash and comparator == "=" and partition is None:
            partition = contents[0]
        elif name == view.range and bounds is None:
            bounds = comparator, contents
        else:
            raise Wrong("query key condition not supported")
    if partition is None:
        raise Wrong("query condition missed key schema element")
    return partition, bounds


def _content(view: View, name: Any, operand: Node, values: Values) -> Any:
    kind = view.kinds.get(name, "")
    value = values.get(operand[1])
    if operand[0] != "value" or value is None or kind not in value:
        raise Wrong("one or more parameter values were invalid")
    return sort_key(kind, value[kind])


def _page(
    table: Table,
    view: View,
    request: Request,
    entries: Iterable[Entry],
    row: Row,
    used: frozenset[str],
) -> Answer:
    names, values = frozen(request.get("ExpressionAttributeNames")), bound(request)
    used_too: list[frozenset[str]] = [used]
    test = None
    if "FilterExpression" in request:
        test, placeholders = test_of(request["FilterExpression"], names)
        used_too.append(placeholders)
    paths = _projection(request, names, used_too)
    check_used(names, values, used_too)
    limit = request.get("Limit")
    found: list[Item] = []
    seen, last = 0, None
    for entry in entries:
        if seen == limit:
            break
        seen += 1
        last = item = view.shown(row(entry[1]))
        if test is None or test(item, values):
            found.append(dict(item) if paths is None else _picked(item, paths))
    answer: Answer = {"Count": len(found), "ScannedCount": seen}
    if request.get("Select") != "COUNT":
        answer["Items"] = found
    if last is not None and seen == limit:
        answer["LastEvaluatedKey"] = {
            name: last[name] for name in {**table.own.kinds, **view.kinds}
        }
    return answer


def _projection(
    request: Request, names: Names, used: list[frozenset[str]]
) -> tuple[Path, ...] | None:
    if "ProjectionExpression" not in request:
        return None
    paths, placeholders = parsing.projection(request["ProjectionExpression"], names)
    used.append(placeholders)
    return paths


def _picked(item: Item, paths: tuple[Path, ...]) -> Item:
    picked: Item = {}
    for path in paths:
        value = find(item, path)
        if value is not None:
            if len(path) > 1:
                raise NotImplementedError("a projection into a document")
            picked[str(path[0])] = value
    return picked
