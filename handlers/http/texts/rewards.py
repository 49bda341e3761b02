"""What is said about points, rewards and redemptions: code → (Chinese, English)."""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str]] = {
    "points.frozen": (
        "积分正在核对，暂不能兑换",
        "Your points are being checked and cannot be spent yet",
    ),
    "rule.not_found": ("没有这条积分规则", "There is no such rule of points"),
    "points.insufficient": ("积分不足，还差 {missing} 分", "{missing} points are missing"),
    "transfer.not_found": ("积分尚未入账", "The points have not been posted yet"),
    "reward.not_found": ("没有找到这项权益", "No such reward"),
    "reward.sold_out": ("本月已兑完", "Sold out this month"),
    "reward.paused": ("这项权益暂停兑换", "This reward is paused"),
    "reward.limit_reached": (
        "每人 {days} 天内最多兑换 {count} 次",
        "At most {count} within {days} days",
    ),
    "reward.not_eligible": ("暂不符合兑换条件", "You do not qualify for this reward yet"),
    "reward.missing.occupation": (
        "先在驿站、站点或网格员处确认职业",
        "Have your occupation confirmed at a station, a depot or by an officer",
    ),
    "reward.missing.phone": ("先绑定手机号", "Bind your phone first"),
    "reward.missing.kind": ("仅限特定职业", "For other occupations only"),
    "reward.missing.member_days": (
        "再过 {days} 天可兑换",
        "Can be had in {days} days",
    ),
    "reward.missing.limit": ("已达个人兑换上限", "You have taken as many as one may"),
    "reward.missing.paused": ("暂停兑换", "Paused for now"),
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
    "redemption.queued": ("正在排队，还没有轮到", "Still waiting in the queue"),
    "redemption.declined": (
        "这次申请未获批准，积分已退回",
        "It was not granted; the points are back",
    ),
    "redemption.state.queued": ("排队中", "Waiting"),
    "redemption.state.declined": ("未获批准", "Not granted"),
    "redemption.state.reserved": ("待核销", "Reserved"),
    "redemption.state.fulfilled": ("已核销", "Used"),
    "redemption.state.cancelled": ("已取消", "Cancelled"),
    "redemption.state.expired": ("已过期", "Expired"),
    "redemption.state.refunded": ("已退还积分", "Refunded"),
    "redemption.refunded": ("这张兑换券的积分已退还", "The voucher's points were refunded"),
    "redemption.refund_proposed": ("已有人提出退还", "A refund has been proposed already"),
    "redemption.refund_not_proposed": ("尚无人提出退还", "Nobody has proposed a refund"),
    "redemption.refund_own_proposal": (
        "提出退还的人不能自己批准",
        "Who proposed a refund cannot approve it",
    ),
    "merchant.not_found": ("没有找到这家商户", "No such merchant"),
}
