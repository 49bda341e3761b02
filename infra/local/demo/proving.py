"""Step 11: the ledger proves itself."""

from __future__ import annotations

from infra.local.demo.opening import Cast
from infra.local.demo.stage import Stage


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
