"""Every page that a message leads to exists in the mini-program."""

from __future__ import annotations

import re
from pathlib import Path

from infra.local.wechat.accounts import PAGES

ROOT = Path(__file__).resolve().parents[1]
PAGE = re.compile(r"[\"'](pages/[a-z/]+)")


def test_messages_lead_to_pages_that_exist() -> None:
    named = {
        page
        for path in (ROOT / "models").rglob("*.py")
        for page in PAGE.findall(path.read_text(encoding="utf-8"))
    }

    assert named
    assert named <= set(PAGES)
