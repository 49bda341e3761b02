"""What is said about points, rewards and redemptions: code → (Chinese, English)."""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str]] = {
    "points.frozen": (
        "积分正在核对，暂不能兑换",
        "Your points are being checked and cannot be spent yet",
    ),
    "rule.named_twice": ("同一规则写了两次", "One rule stands there twice"),
    "rule.published_meanwhile": (
        "规则刚被他人更新，请重新取最新规则再改",
        "The rules were changed meanwhile: read them again",
    ),
    "rule.too_early": (
        "生效时间最早为 {limit}，各处须先知道新规则",
        "It can hold from {limit} on: every process must know it before",
    ),
    "rule.not_found": ("没有这条积分规则", "There is no such rule of points"),
    "points.insufficient": ("积分不足，还差 {missing} 分", "{missing} points are missing"),
    "transfer.not_found": ("积分尚未入账", "The points have not been posted yet"),
    "reward.not_found": ("没有找到这项权益", "No such reward"),
    "reward.sold_out": ("本月已兑完", "Sold out this month"),
    "reward.not_possible": (
        "权益当前状态不允许这样做",
        "The reward is not in a state for this",
    ),
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
    "reward.missing.limit": (
        "已达个人上限，{day} 起可再兑换",
        "You have had as many as one may; again from {day}",
    ),
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
    "redemption.not_pooled": (
        "这张兑换券没有外部兑换码，请到店出示",
        "The voucher has no imported code: show it at the counter",
    ),
    "pool.not_pooled": ("这项权益不使用导入的兑换码", "The reward does not take imported codes"),
    "pool.batch_reused": (
        "同名批次已导入过其他内容",
        "A batch of this name was imported with other content",
    ),
    "pool.code_missing": ("缺少兑换码", "The code is missing"),
    "pool.code_too_long": ("兑换码过长", "The code is too long"),
    "pool.code_unreadable": ("兑换码含有不可显示的字符", "The code cannot be shown"),
    "pool.code_repeated": ("兑换码在文件中重复", "The code is in the file twice"),
    "pool.code_known": ("兑换码已导入过", "The code was imported before"),
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
    "redemption.queue.hardship": (
        "优先照顾，排在第 {place} 位",
        "Place {place}: those in need go first",
    ),
    "redemption.queue.waiting": (
        "排在第 {place} 位：先等先得，同日按积分",
        "Place {place}: who waits longest goes first, points decide within a day",
    ),
    "redemption.declined.retired": ("权益已下架，积分已退回", "It is no longer offered"),
    "redemption.declined.no_quota": ("本地已无名额，积分已退回", "No more places in your county"),
    "redemption.declined.waited_too_long": (
        "等候满 90 天未轮到，积分已退回",
        "Ninety days have passed without a turn",
    ),
    "redemption.declined.not_granted": ("未获批准，积分已退回", "It was not granted"),
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
