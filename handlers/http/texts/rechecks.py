"""What is said about rechecks: code → (zh, en)."""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str]] = {
    "case.recheck": ("复拍", "Looked at again"),
    "recheck.not_found": ("没有找到这个复拍任务", "No such recheck"),
    "recheck.taken": ("已有骑手复拍，谢谢您", "Another rider was quicker; thank you"),
    "recheck.over": ("这个复拍任务已结束", "This recheck is over"),
    "recheck.own_case": (
        "自己上报的事项请在评价中反馈",
        "Say it in the verdict on your own report",
    ),
    "recheck.own_work": ("本辖区的工作人员不能复拍", "Officials of the area cannot recheck it"),
    "recheck.too_far": ("请到现场 {limit} 米以内拍摄", "Take the photo within {limit} m of it"),
    "recheck.before_the_fix": ("照片应在处置之后拍摄", "The photo must be newer than the fix"),
}
