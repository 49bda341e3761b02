"""What is said about trust: code → (zh, en). Neutral words: a signal is no reproach."""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str]] = {
    "trust.meaning": (
        "信用值 0–100，从 50 起，由上报的处置结果和照片、位置等线索得出，90 天减半。"
        "只有您自己能看到，不排名，不影响积分和使用",
        "0 to 100, starting at 50, from what became of your reports and from hints in photos and "
        "places; everything halves in 90 days. Only you see it. It is no ranking and costs nothing",
    ),
    "trust.how_to_appeal": (
        "认为某条有误，可对该条申诉一次，由社区或区县人工复核；申诉成立则不再计入",
        "If one of these is wrong, appeal against it once: people at the community or the county "
        "decide, and what they dismiss counts no more",
    ),
    "trust.same_photo": ("照片与此前上报的相同", "The photo was in an earlier report"),
    "trust.near_photo": (
        "照片与此前上报的极为相似",
        "The photo is nearly that of an earlier report",
    ),
    "trust.photo_time": ("照片拍摄时间与上报时间不一致", "The camera says another time"),
    "trust.photo_place": ("照片位置与上报位置不一致", "The camera says another place"),
    "trust.impossible_travel": ("两次上报之间位移过快", "Too far from the report before, too soon"),
    "trust.fast_travel": ("两次上报之间位移较快", "Far from the report before, and soon"),
    "trust.same_coordinates": ("多次上报坐标完全相同", "Several reports from the very same point"),
    "trust.no_error": ("定位误差为零", "The phone admits no error of its position"),
    "trust.moving": ("行驶中拍摄", "Captured while moving"),
    "trust.same_thing": (
        "同一处同类问题多次上报",
        "The same kind of thing at one spot, repeatedly",
    ),
    "trust.low_acceptance": ("近期上报受理较少", "Few of the recent reports were accepted"),
    "trust.one_officer": ("近期上报多由同一人处置", "Nearly all recent reports had one officer"),
    "trust.valid": ("上报属实并已办结", "A report was right, and the case closed"),
    "trust.rechecked": ("参与复拍", "Looked at a fix again"),
    "trust.rejected": ("上报未被受理", "A report was refused"),
    "trust.signal_not_found": ("没有找到这条记录", "No such record"),
    "trust.not_appealable": ("这条记录无需申诉", "There is nothing to appeal against"),
    "trust.appealed_before": ("已申诉过，每条只能申诉一次", "Appealed before: once for each"),
    "trust.appeal_not_found": ("没有找到这个申诉", "No such appeal"),
    "trust.decided_before": ("这个申诉已有结论", "This appeal was decided before"),
}
