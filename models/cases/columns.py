"""How the columns of cases are written that the base does not know."""

from __future__ import annotations

import json
from typing import Any

from pynamodb.attributes import Attribute, ListAttribute, UnicodeAttribute
from pynamodb.constants import STRING


class Document(Attribute[Any]):
    """JSON text as an admin can read it: Chinese unescaped, which also halves its size."""

    attr_type = STRING

    def serialize(self, value: Any) -> str:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    def deserialize(self, value: str) -> Any:
        return json.loads(value)


def texts(*, null: bool = False) -> ListAttribute[str]:
    """A list of texts."""
    # pynamodb's stub wants the element's value type here, its code wants the attribute.
    return ListAttribute(of=UnicodeAttribute, null=null)  # type: ignore[arg-type]
