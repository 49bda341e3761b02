"""What is said about what two people decide on points: code → (Chinese, English)."""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str]] = {
    "county.unknown": ("没有这个区县", "No such county"),
    "proposal.unknown_member": ("没有找到这位成员", "No such member"),
    "proposal.own_account": (
        "本人及关联人的积分须由他人办理",
        "Nobody decides for himself or for somebody close to him",
    ),
    "proposal.personal_reference": (
        "编号中不能有手机号或身份证号",
        "A reference holds no phone or identity number",
    ),
    "proposal.duplicate": (
        "文件中已有同一人的同一事项",
        "The file has the same thing of the same member before",
    ),
    "proposal.unknown_award": ("没有找到此人的这笔积分", "No such award of this member"),
    "proposal.nothing_left": ("这笔积分没有可收回的", "The award left nothing to take back"),
    "proposal.reference_posted": ("这一事项已入账", "Points for this were posted before"),
    "proposal.not_found": ("没有找到这项申请", "No such proposal"),
    "proposal.own": ("须由另一人审批", "Another person decides"),
    "proposal.not_own": ("只有申请人可以撤回", "Only who proposed withdraws"),
    "proposal.decided_before": ("这项申请已有结论：{state}", "Decided before: {state}"),
    "proposal.changed": (
        "申请内容与提交时不符，不能批准，请驳回后重新申请",
        "The proposal is not what was proposed; decline it and propose anew",
    ),
    "proposal.too_old": (
        "提交已超过 60 天，不能批准；请驳回，确需补记的按“补记漏发的积分”另行申请",
        "Proposed more than 60 days ago: decline it, and propose what is missing as an adjustment",
    ),
    "points.entry_not_found": ("没有找到这笔积分记录", "No such entry"),
    "points.not_appealable": (
        "只有被收回或扣减的积分可以申诉",
        "Only what took points can be appealed against",
    ),
    "points.appeal_too_late": ("已超过 30 天，不能申诉", "Thirty days have passed"),
    "points.appealed_before": (
        "已申诉过，每笔只能申诉一次",
        "Appealed before: once for each entry",
    ),
    "points.appeal.open": ("申诉已收到，等待人工复核", "Received; people will look at it"),
    "points.appeal.upholding": ("申诉正在复核", "People are looking at it"),
    "points.appeal.upheld": ("申诉成立，积分已退回", "Upheld; the points are back"),
    "points.appeal.dismissed": ("申诉未成立", "Dismissed"),
    "appeal.not_found": ("没有找到这个申诉", "No such appeal"),
    "appeal.own_decision": (
        "收回积分的经办人不能复核申诉",
        "Who took the points does not decide the appeal",
    ),
    "appeal.decided_before": ("这个申诉已有结论：{state}", "Decided before: {state}"),
}
