"""What is said about points, rewards and redemptions: code → (Chinese, English)."""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str]] = {
    "points.frozen": (
        "积分正在核对，暂不能兑换",
        "Your points are being checked and cannot be spent yet",
    ),
    "points.insufficient": ("积分不足，还差 {missing} 分", "{missing} points are missing"),
    "transfer.not_found": ("积分尚未入账", "The points have not been posted yet"),
    "reward.not_found": ("没有找到这项权益", "No such reward"),
    "reward.sold_out": ("已兑完", "Sold out"),
    "reward.missing.occupation": (
        "先在驿站、站点或网格员处确认职业",
        "Have your occupation confirmed at a station, a depot or by an officer",
    ),
    "reward.missing.points": ("还差 {points} 积分", "{points} points are missing"),
    "reward.missing.stock": ("已兑完，请等待补货", "Sold out, wait for new stock"),
    "occupation.unconfirmed": (
        "确认职业后才能使用积分",
        "Points can be spent once your occupation is confirmed",
    ),
    "redemption.not_found": ("没有找到这张兑换券", "No such voucher"),
    "redemption.own": ("不能核销自己的兑换券", "Nobody hands over to himself"),
    "redemption.already_fulfilled": ("这张兑换券已核销", "The voucher was used already"),
    "redemption.not_fulfilled": ("这张兑换券尚未核销", "The voucher was not used yet"),
    "redemption.cancelled": ("这张兑换券已取消", "The voucher was cancelled"),
    "redemption.expired": ("这张兑换券已过期", "The voucher has expired"),
    "redemption.qr_stale": ("二维码已过期，请骑手刷新", "The QR is old, have it refreshed"),
    "redemption.not_due": ("这张兑换券尚未到期", "The voucher is not due yet"),
    "redemption.too_many_tries": (
        "输错次数过多，请一分钟后再试，或扫描二维码",
        "Too many wrong codes: wait a minute, or scan the QR",
    ),
    "redemption.undo_too_late": ("核销超过 5 分钟，不能撤销", "Five minutes have passed"),
    "redemption.state.reserved": ("待核销", "Reserved"),
    "redemption.state.fulfilled": ("已核销", "Used"),
    "redemption.state.cancelled": ("已取消", "Cancelled"),
    "redemption.state.expired": ("已过期", "Expired"),
}
