"""Makes up requests: few keys and few values, so that conditions hold as often as they fail.

Left out is where the engine itself is not DynamoDB: it fills a list with NULLs up to the position
that is set, makes a list of a NULL, returns a key as the old row of an update that made the row,
adds the key to what a read of several rows projects, and passes a placeholder in a transaction that
nothing uses.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from typing import Any

from infra.prove.fake.values import SETS, clean_item

TABLES: tuple[Mapping[str, Any], ...] = (
    {
        "TableName": "fuzz-pairs",
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            {"AttributeName": "p", "AttributeType": "S"},
            {"AttributeName": "n", "AttributeType": "N"},
            {"AttributeName": "a", "AttributeType": "S"},
            {"AttributeName": "b", "AttributeType": "N"},
        ],
        "KeySchema": [
            {"AttributeName": "p", "KeyType": "HASH"},
            {"AttributeName": "n", "KeyType": "RANGE"},
        ],
        "GlobalSecondaryIndexes": [
            {
                "IndexName": "by_a",
                "KeySchema": [
                    {"AttributeName": "a", "KeyType": "HASH"},
                    {"AttributeName": "b", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            },
            {
                "IndexName": "by_b",
                "KeySchema": [{"AttributeName": "b", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["c"]},
            },
        ],
    },
    {
        "TableName": "fuzz-plain",
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            {"AttributeName": "p", "AttributeType": "S"},
            {"AttributeName": "a", "AttributeType": "S"},
            {"AttributeName": "c", "AttributeType": "S"},
        ],
        "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}],
        "GlobalSecondaryIndexes": [
            {
                "IndexName": "by_a",
                "KeySchema": [
                    {"AttributeName": "a", "KeyType": "HASH"},
                    {"AttributeName": "c", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
    },
)
_KEYS = {"fuzz-pairs": ("p", "n"), "fuzz-plain": ("p",)}
INDEXES = {"fuzz-pairs": ("by_a", "by_b"), "fuzz-plain": ("by_a",)}
_FREE = ("a", "b", "c", "d", "e", "f")
_TYPES = ("S", "N", "L", "M", "SS", "NS", "BOOL", "NULL")
_TESTS = (
    *("exists", "exists", "absent", "absent", "type", "begins", "contains", "size", "between"),
    *("in", "compare", "compare", "compare", "compare"),
)
_TEXTS = ("x", "xy", "y", "城", "\U0001f6b2")
_NUMBERS = ("0", "1", "2", "-1", "1.5", "1.50", "10", "1e2", "12345678901234567890.5")

Pair = tuple[str, dict[str, Any]]


class Speaker:
    """Makes up requests, the same for the same chance."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._names: dict[str, str] = {}
        self._values: dict[str, Any] = {}

    def request(self) -> Pair:
        """One request, right more often than wrong."""
        table = self._one(tuple(_KEYS))
        kinds = ("transact",) * 5 + ("put", "put", "update", "update", "delete", "get")
        kinds = (*kinds, "query", "query", "scan", "batch_get", "batch_write", "transact_get")
        kind = self._one(kinds)
        if kind == "transact":
            return "TransactWriteItems", {"TransactItems": self._actions()}
        if kind == "batch_get":
            # The engine takes 1 and 1.0 for two keys here, and one key twice for a mistake.
            keys = [clean_item(self._key(table)) for _ in range(self._chance.randint(1, 4))]
            return "BatchGetItem", {"RequestItems": {table: {"Keys": keys}}}
        if kind == "transact_get":
            return "TransactGetItems", {"TransactItems": self._together()}
        if kind == "batch_write":
            writes = [self._batched(table) for _ in range(self._chance.randint(1, 3))]
            return "BatchWriteItem", {"RequestItems": {table: writes}}
        if kind in ("query", "scan"):
            return self._listing(table, kind)
        if kind == "get":
            return "GetItem", {"TableName": table, "Key": self._key(table)}
        return f"{kind.capitalize()}Item", self._written(table, kind)

    def _actions(self) -> list[dict[str, Any]]:
        count = self._one((1, 2, 2, 3, 4))
        actions = []
        for _ in range(count):
            kind = self._one(("put", "put", "update", "update", "delete", "condition_check"))
            request = self._written(self._one(tuple(_KEYS)), kind)
            request.pop("ReturnValues", None)
            name = "ConditionCheck" if kind == "condition_check" else kind.capitalize()
            actions.append({name: request})
        return actions

    def _together(self) -> list[dict[str, Any]]:
        """Reads of both tables; now and then one key twice, or one that cannot be."""
        gets = []
        for _ in range(self._one((1, 2, 2, 3, 4))):
            table = self._one(tuple(_KEYS))
            gets.append({"Get": {"TableName": table, "Key": clean_item(self._key(table))}})
        return gets

    def _written(self, table: str, kind: str) -> dict[str, Any]:
        self._names, self._values = {}, {}
        request: dict[str, Any] = {"TableName": table}
        if kind == "put":
            request["Item"] = self._item(table)
        else:
            request["Key"] = self._key(table)
        if kind == "update":
            request["UpdateExpression"] = self._update()
        if kind == "condition_check" or self._chance.random() < 0.6:
            request["ConditionExpression"] = self._condition(2, _FREE + _KEYS[table])
            if self._chance.random() < 0.7:
                request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        if kind == "update":
            request["ReturnValues"] = self._one(("NONE", "ALL_NEW"))
        elif kind in ("put", "delete"):
            request["ReturnValues"] = self._one(("NONE", "ALL_OLD"))
        return self._with_placeholders(request)

    def _batched(self, table: str) -> dict[str, Any]:
        if self._chance.random() < 0.7:
            return {"PutRequest": {"Item": self._item(table)}}
        return {"DeleteRequest": {"Key": self._key(table)}}

    def _listing(self, table: str, kind: str) -> Pair:
        self._names, self._values = {}, {}
        request: dict[str, Any] = {"TableName": table}
        if kind == "scan":
            if self._chance.random() < 0.5:
                request["FilterExpression"] = self._condition(1, ("c", "d", "e", "f"))
            return "Scan", self._with_placeholders(request)
        index = self._one((None, *INDEXES[table]))
        definition = next(one for one in TABLES if one["TableName"] == table)
        schema = definition["KeySchema"]
        if index is not None:
            request["IndexName"] = index
            found = definition["GlobalSecondaryIndexes"]
            schema = next(one["KeySchema"] for one in found if one["IndexName"] == index)
        request["KeyConditionExpression"] = self._key_condition(definition, schema)
        if self._chance.random() < 0.3:
            request["FilterExpression"] = self._condition(1, ("d", "e", "f"))
        if self._chance.random() < 0.2:
            request["ProjectionExpression"] = ", ".join(
                self._name(name) for name in self._chance.sample(("p", "c", "d"), 2)
            )
        # Rows with equal keys of an index have no order; a page of them may be any of them.
        if index is None:
            if self._chance.random() < 0.5:
                request["Limit"] = self._chance.randint(1, 3)
            if len(schema) == 2 and self._chance.random() < 0.3:
                values = request.get("ExpressionAttributeValues", self._values)
                request["ExclusiveStartKey"] = {"p": values[":0"], "n": self._number()}
            request["ScanIndexForward"] = self._chance.random() < 0.5
        return "Query", self._with_placeholders(request)

    def _key_condition(self, definition: Mapping[str, Any], schema: list[Any]) -> str:
        kinds = {
            one["AttributeName"]: one["AttributeType"] for one in definition["AttributeDefinitions"]
        }
        hash_name = schema[0]["AttributeName"]
        value = self._number() if kinds[hash_name] == "N" else self._text()
        text = f"{self._name(hash_name)} = {self._value(value)}"
        if len(schema) == 1 or self._chance.random() < 0.4:
            return text
        name = schema[1]["AttributeName"]
        make = self._number if kinds[name] == "N" else self._text
        comparator = self._one(("=", "<", "<=", ">", ">=", "BETWEEN", "begins_with"))
        if comparator == "BETWEEN" or (comparator == "begins_with" and make == self._number):
            # Bounds the wrong way round are refused: their order is one of the things compared.
            low, high = self._value(make()), self._value(make())
            return f"{text} AND {self._name(name)} BETWEEN {low} AND {high}"
        if comparator == "begins_with":
            return f"{text} AND begins_with({self._name(name)}, {self._value(make())})"
        return f"{text} AND {self._name(name)} {comparator} {self._value(make())}"

    def _condition(self, depth: int, names: tuple[str, ...]) -> str:
        chosen = self._chance.random()
        if depth and chosen < 0.3:
            word = self._one(("AND", "OR"))
            left, right = self._condition(depth - 1, names), self._condition(depth - 1, names)
            return f"({left} {word} {right})"
        if depth and chosen < 0.4:
            return f"(NOT {self._condition(depth - 1, names)})"
        path = self._path(names)
        test = self._one(_TESTS)
        if test == "exists":
            return f"attribute_exists({path})"
        if test == "absent":
            return f"attribute_not_exists({path})"
        if test == "type":
            return f"attribute_type({path}, {self._value({'S': self._one(_TYPES)})})"
        if test == "begins":
            return f"begins_with({path}, {self._value(self._text())})"
        if test == "contains":
            return f"contains({path}, {self._value(self._scalar())})"
        if test == "size":
            return f"size({path}) {self._comparator()} {self._value(self._number())}"
        if test == "between":
            make = self._one((self._number, self._text))
            low, high = sorted((make() for _ in range(2)), key=_by_content)
            return f"{path} BETWEEN {self._value(low)} AND {self._value(high)}"
        if test == "in":
            members = ", ".join(self._value(self._scalar()) for _ in range(2))
            return f"{path} IN ({members})"
        if self._chance.random() < 0.15:
            other = self._name(self._one([n for n in names if self._name(n) != path]))
            return f"{path} {self._comparator()} {other}"
        comparator = self._comparator()
        value = (
            self._any() if comparator in ("=", "<>") else self._one((self._number, self._text))()
        )
        return f"{path} {comparator} {self._value(value)}"

    def _update(self) -> str:
        names = self._chance.sample(_FREE, self._chance.randint(1, 3))
        sections: dict[str, list[str]] = {}
        for name in names:
            section = self._one(("SET", "SET", "SET", "REMOVE", "ADD", "DELETE"))
            sections.setdefault(section, []).append(self._action(section, name))
        return " ".join(f"{section} {', '.join(all_)}" for section, all_ in sections.items())

    def _action(self, section: str, name: str) -> str:
        path = self._path((name,), furthest=0 if section == "SET" else 2)
        if section == "REMOVE":
            return path
        if section == "ADD":
            value = self._one((self._number, lambda: {"SS": ["x", "y"]}, lambda: {"NS": ["1"]}))()
            return f"{self._name(name)} {self._value(value)}"
        if section == "DELETE":
            value = self._one(({"SS": ["x"]}, {"SS": ["x", "y", "z"]}, {"NS": ["1", "2"]}))
            return f"{self._name(name)} {self._value(value)}"
        way = self._one(("plain", "plain", "copy", "sum", "absent", "append"))
        whole = self._name(name)
        if way == "copy":
            return f"{path} = {self._name(self._one(_FREE))}"
        if way == "sum":
            sign = self._one("+-")
            return f"{whole} = {whole} {sign} {self._value(self._number())}"
        if way == "absent":
            return f"{whole} = if_not_exists({whole}, {self._value(self._any())})"
        if way == "append":
            more = self._value({"L": [self._scalar()]})
            return f"{whole} = list_append({whole}, {more})"
        return f"{path} = {self._value(self._any())}"

    def _path(self, names: Iterable[str], furthest: int = 2) -> str:
        name = self._name(self._one(tuple(names)))
        chosen = self._chance.random()
        if chosen < 0.1:
            return f"{name}[{self._chance.randint(0, furthest)}]"
        if chosen < 0.2:
            return f"{name}.{self._name(self._one('mk'))}"
        return name

    def _item(self, table: str) -> dict[str, Any]:
        item = self._key(table)
        for name in self._chance.sample(_FREE, self._chance.randint(0, 5)):
            likely = {"a": self._text, "b": self._number, "c": self._text}.get(name, self._any)
            item[name] = likely() if self._chance.random() < 0.97 else self._any()
        return item

    def _key(self, table: str) -> dict[str, Any]:
        key: dict[str, Any] = {"p": {"S": self._one(("x", "xy", "城"))}}
        if table == "fuzz-pairs":
            key["n"] = {"N": self._one(("-1", "0", "1", "1.0", "2.5", "10"))}
        if self._chance.random() < 0.01:
            key["p"] = self._one(({"S": ""}, {"N": "1"}))
        return key

    def _any(self) -> dict[str, Any]:
        kind = self._one(("S", "N", "S", "N", *_TYPES))
        if kind == "L":
            return {"L": [self._scalar() for _ in range(self._chance.randint(0, 3))]}
        if kind == "M":
            return {"M": {name: self._scalar() for name in self._one(("", "m", "mk"))}}
        if kind == "NULL":
            return {"L": [{"NULL": True}]}
        if kind in SETS:
            pool = ("x", "y", "z") if kind == "SS" else ("1", "2", "3.5")
            return {kind: self._chance.sample(pool, self._chance.randint(1, 3))}
        return self._scalar(kind)

    def _scalar(self, kind: str | None = None) -> dict[str, Any]:
        kind = kind or self._one(("S", "N"))
        if kind == "BOOL":
            return {"BOOL": self._chance.random() < 0.5}
        return self._number() if kind == "N" else self._text()

    def _text(self) -> dict[str, Any]:
        return {"S": self._one(_TEXTS)}

    def _number(self) -> dict[str, Any]:
        return {"N": self._one(_NUMBERS)}

    def _comparator(self) -> str:
        comparator: str = self._one(("=", "<>", "<", "<=", ">", ">="))
        return comparator

    def _one(self, choices: Any) -> Any:
        return self._chance.choice(choices)

    def _name(self, name: str) -> str:
        placeholder = f"#{name}"
        self._names[placeholder] = name
        return placeholder

    def _value(self, value: Any) -> str:
        placeholder = f":{len(self._values)}"
        self._values[placeholder] = value
        return placeholder

    def _with_placeholders(self, request: dict[str, Any]) -> dict[str, Any]:
        text = " ".join(str(value) for name, value in request.items() if "Expression" in name)
        names = {name: meant for name, meant in self._names.items() if name in text}
        if names:
            request["ExpressionAttributeNames"] = names
        if self._values:
            request["ExpressionAttributeValues"] = dict(self._values)
        return request


def _by_content(value: Mapping[str, Any]) -> Any:
    ((kind, content),) = value.items()
    return float(content) if kind == "N" else content
