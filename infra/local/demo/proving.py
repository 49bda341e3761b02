"""Step 11: the ledger proves itself."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from infra.local.demo.opening import Cast
from infra.local.demo.stage import Stage
from infra.prove import verify_statement


def prove(stage: Stage, cast: Cast) -> None:
    """Every balance equals the fold of its entries, and all legs sum to zero."""
    stage.step(11, "证明 Proof")
    from models.points import checking

    proof = checking.check_all()
    stage.expect(not proof.faults, f"nothing is wrong: {proof.faults}")
    stage.expect(proof.entries > 0, "there is something to prove")
    stage.expect(sum(proof.totals.values()) == 0, f"legs sum to zero: {proof.totals}")
    stage.tell(f"{proof.wallets} 个钱包、{proof.entries} 条记录：余额 = 记录之和，链条完整")
    for account, points in sorted(proof.totals.items()):
        stage.tell(f"{account:<28}{points:>6}")
    stage.tell("全部分录之和 = 0")
    _verified_by_the_rider(stage, cast)


def _verified_by_the_rider(stage: Stage, cast: Cast) -> None:
    """A night's proof, then the rider's own: his export, a plain script, and a forged line."""
    night = stage.services.reconciliation.run()
    stage.expect(night.drifts == 0 and night.root is not None, f"the night proves all: {night}")
    stage.tell(f"夜间对账：{night.day} 的根 {str(night.root)[:16]}…")
    cast.rider.sign_in()
    export = cast.rider.app.get("/v1/points/export")
    status, said = _checked(export.body)
    stage.expect(status == 0, f"the rider's own check: {said}", export)
    stage.tell(f"骑手导出流水，用 60 行脚本离线自验：{said}", export)
    line = export.body["entries"][0]
    line["body"] = line["body"].replace('"seq":1', '"seq":2', 1)
    status, said = _checked(export.body)
    stage.expect(status == 1 and "line 1" in said, f"a forged line is named: {said}")
    stage.tell(f"改动一个字节 → {said}")


def _checked(statement: object) -> tuple[int, str]:
    with tempfile.TemporaryDirectory() as home:
        saved = Path(home) / "statement.json"
        saved.write_text(json.dumps(statement, ensure_ascii=False), encoding="utf-8")
        asked = [sys.executable, "-I", verify_statement.__file__, saved]
        ran = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=False)
    return ran.returncode, (ran.stdout + ran.stderr).strip()
