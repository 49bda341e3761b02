"""``python -m infra.contract``: writes the HTTP contract, as the code has it, to the repository."""

from __future__ import annotations

import json
import sys
from pathlib import Path

CONTRACT = Path(__file__).with_name("openapi.json")


def text() -> str:
    """The contract as it is committed."""
    import app  # noqa: F401  registers every operation

    from handlers.http.openapi import document

    return json.dumps(document(), ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def main() -> int:
    """Write it, and say whether it changed."""
    drawn = text()
    changed = not CONTRACT.exists() or CONTRACT.read_text(encoding="utf-8") != drawn
    CONTRACT.write_text(drawn, encoding="utf-8")
    print(f"{CONTRACT.name} {'已更新 (changed)' if changed else '无变化 (unchanged)'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
