"""Step 10: points become a haircut."""

from __future__ import annotations

from infra.local.demo.opening import Cast
from infra.local.demo.stage import Stage

HAIRCUT_POINTS = 10
VOUCHER_LASTS_S = 30 * 86_400
GRACE_S = 3_600


def redeem(stage: Stage, cast: Cast) -> None:
    """Hold, show, fulfil, undo, cancel, let run out."""
    stage.step(10, "兑换 Redemption")
    owned = cast.rider.app.get("/v1/points").body["available"]
    rewards = cast.rider.app.get("/v1/rewards").body["items"]
    here = cast.posts["merchant"].county  # an unconfirmed rider has no county yet: he sees both's
    haircut = next(
        item for item in rewards if (item["price_points"], item["county"]) == (HAIRCUT_POINTS, here)
    )
    body = {"reward_id": haircut["id"]}

    refused = cast.rider.app.post("/v1/redemptions", body)
    stage.refused(refused, 403, "occupation.unconfirmed")
    asked = cast.rider.app.post("/v1/me/verification", {"occupation": "rider"})
    confirmed = cast.keeper.app.post(f"/v1/verifications/{asked.body['code']}/confirm")
    stage.expect(confirmed.status == 200, "the keeper confirms the occupation", confirmed)
    cast.rider.sign_in()
    stage.tell("先由驿站管理员确认职业（180 天），之后才能花积分", asked, confirmed)

    held = cast.rider.app.post("/v1/redemptions", body)
    stage.expect(held.status == 201, "reserved", held)
    redemption = held.body["redemption"]
    stage.tell(
        f"{haircut['name']}：{HAIRCUT_POINTS} 分冻结、库存减一，兑换码 {redemption['code']}", held
    )
    short = cast.rider.app.post("/v1/redemptions", body)
    stage.refused(short, 409, "points.insufficient")
    stage.tell(f"再兑一次 → 409：{short.body['message']}", short)

    code = {"code": redemption["code"]}
    preview = cast.merchant.app.post("/v1/redemptions/preview", code)
    stage.expect(preview.status == 200, "the merchant sees it first", preview)
    foreign = cast.keeper.app.post("/v1/redemptions/fulfil", code)
    stage.expect(foreign.status == 404, "a foreign counter sees nothing", foreign)
    fulfilled = cast.merchant.app.post("/v1/redemptions/fulfil", {"code": redemption["qr"]})
    stage.expect(fulfilled.status == 200, "fulfilled", fulfilled)
    twice = cast.merchant.app.post("/v1/redemptions/fulfil", code)
    stage.refused(twice, 409, "redemption.already_fulfilled")
    undone = cast.merchant.app.post(f"/v1/redemptions/{redemption['id']}/undo")
    stage.expect(undone.status == 200, "undone within five minutes", undone)
    stage.tell("商户：先看、核销、重复核销被拒、五分钟内撤销", preview, fulfilled, twice, undone)

    cancelled = cast.rider.app.post(f"/v1/redemptions/{redemption['id']}/cancel")
    stage.expect(cancelled.status == 200, "cancelled", cancelled)
    balance = cast.rider.app.get("/v1/points").body
    stage.expect((balance["available"], balance["held"]) == (owned, 0), f"given back: {balance}")
    stage.tell("取消 → 积分和库存都退回", cancelled)

    again = cast.rider.app.post("/v1/redemptions", body).body["redemption"]
    sold = cast.merchant.app.post("/v1/redemptions/fulfil", {"code": again["code"]})
    stage.expect(sold.status == 200, "fulfilled for good", sold)
    day = cast.merchant.app.get("/v1/merchant/day").body
    stage.expect(day["count"] == 1 and day["points"] == HAIRCUT_POINTS, f"day totals: {day}")
    stage.tell(f"商户今日：{day['count']} 笔，{day['points']} 分", sold)
    _run_out(stage, cast, body)


def _run_out(stage: Stage, cast: Cast, body: dict[str, str]) -> None:
    """Nobody fetches it: the schedule gives points and stock back."""
    asked = cast.second.app.post("/v1/me/verification", {"occupation": "courier"})
    cast.keeper.app.post(f"/v1/verifications/{asked.body['code']}/confirm")
    cast.second.sign_in()
    stock = _stock(cast, body)
    before = cast.second.app.get("/v1/points").body
    owned = before["available"] + before["pending"]  # which will have matured
    held = cast.second.app.post("/v1/redemptions", body)
    stage.expect(held.status == 201, "reserved", held)
    stage.expect(_stock(cast, body) == stock - 1, "one less in stock")
    stage.stack.advance(VOUCHER_LASTS_S + GRACE_S)
    cast.second.sign_in()
    redemption_id = held.body["redemption"]["id"]
    stage.until(
        "the schedule ends it",
        lambda: _state(cast, redemption_id) == "expired",
    )
    balance = cast.second.app.get("/v1/points").body
    stage.expect((balance["available"], balance["held"]) == (owned, 0), f"given back: {balance}")
    # Thirty days on it may be another month, whose quota nobody has touched.
    stage.expect(_stock(cast, body) >= stock, "the stock is back")
    stage.tell("30 天没有领取 → 定时任务退回积分和库存", stage.work("redemptions"))


def _stock(cast: Cast, body: dict[str, str]) -> int:
    shown = cast.second.app.get(f"/v1/rewards/{body['reward_id']}").body
    return int(shown["reward"]["stock_left"])


def _state(cast: Cast, redemption_id: str) -> str:
    shown = cast.second.app.get(f"/v1/redemptions/{redemption_id}").body
    return str(shown["redemption"]["state"])
