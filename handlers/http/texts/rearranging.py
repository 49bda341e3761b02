"""What is said about merging, splitting, handing over and acting on many: code → (zh, en)."""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str]] = {
    "case.same_case": ("不能并入自身", "A case cannot be merged into itself"),
    "case.not_mergeable": ("目标案件已不能并入", "Nothing can be merged into that case now"),
    "case.merged_enough": ("并入的案件已满 20 件", "Twenty cases have been merged into it already"),
    "case.parent_without_photo": (
        "目标案件还没有照片，请反向并案",
        "That case has no photo yet; merge the other way round",
    ),
    "case.parent_ended": ("并入的案件已办结", "The case it was merged into has ended"),
    "case.has_merged": ("有案件并入，请先撤销并案", "Others were merged into it; undo that first"),
    "case.was_claimed": ("并案前已有人接单", "Somebody had claimed it before"),
    "case.was_not_claimed": ("并案前无人接单", "Nobody had claimed it before"),
    "case.split_before": ("已拆分过，不能再拆分", "It has been split already"),
    "case.twice": ("同一案件选了两次", "The same case twice"),
    "bulk.not_reached": ("这次没来得及办，请再提交一次", "Not reached in time; send it again"),
    "case.same_category": ("每个问题的类别应各不相同", "Each problem needs a category of its own"),
    "case.without_photo": ("还没有照片，不能拆分", "Without a photo there is nothing to split"),
    "transfer.reference_taken": (
        "该编号已用于另一案件",
        "That reference belongs to another case",
    ),
    "case.merge": ("并案", "Merge"),
    "case.unmerge": ("撤销并案", "Undo the merge"),
    "case.split": ("拆分", "Split"),
    "case.transfer": ("移交", "Hand over"),
    "case.accept": ("对方受理", "Accepted by the receiver"),
    "case.release": ("原处置人离岗，重新派发", "Its officer left; given out again"),
    "roster.index_behind": ("网格员名册还在更新", "The roster is still being updated"),
    "case.reason.officer_left": ("原处置人离岗", "Its officer has left"),
    "case.reason.same_thing": ("同一问题", "The same thing"),
    "case.reason.not_the_same": ("不是同一问题", "Not the same thing"),
    "case.reason.several_problems": ("包含多个问题", "Several problems in one"),
    "case.reason.police_matter": ("属于警务", "A matter for the police"),
    "case.reason.platform_matter": ("属于平台企业", "A matter for the platform"),
    "case.reason.not_accepted": ("对方不受理", "The receiver does not accept it"),
}
