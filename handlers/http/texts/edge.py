"""What the edge itself says: code → (Chinese, English); ``{name}`` comes from details."""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str]] = {
    "request.invalid": ("有内容填写不正确，请检查后再提交", "Some fields are wrong"),
    "request.not_json": ("请求内容不是有效的 JSON", "The body is not valid JSON"),
    "request.too_large": ("请求内容过大", "The body is too large"),
    "request.wrong_media_type": ("请使用 application/json", "Send application/json"),
    "request.method_not_allowed": ("不支持该操作", "Method not allowed"),
    "request.reused": (
        "同一请求编号的内容不一致，请重新提交",
        "This client_request_id was used with other content",
    ),
    "rate.exceeded": ("操作太频繁，请稍后再试", "Too many requests, try again later"),
    "role.lacks_action": ("您没有该操作的权限", "Your role does not allow this"),
    "not_found": ("没有找到", "Not found"),
    "route.not_found": ("没有这个接口", "No such route"),
    "conflict": ("状态已变化，请刷新", "The state has changed, refresh"),
    "unavailable": (
        "暂时无法确认结果，请用同一请求编号重试",
        "Outcome unknown; repeat it",
    ),
    "store.busy": ("系统繁忙，请用同一请求编号重试", "Busy; repeat it"),
    "internal": ("系统出错了，我们已收到告警", "Something went wrong on our side"),
    "field.missing": ("必填", "Required"),
    "field.unknown": ("不认识的字段", "Unknown field"),
    "field.wrong_type": ("类型不正确", "Wrong type"),
    "field.too_long": ("超出长度上限 {limit}", "Longer than {limit}"),
    "field.too_short": ("少于下限 {limit}", "Shorter than {limit}"),
    "field.too_large": ("大于上限 {limit}", "Greater than {limit}"),
    "field.too_small": ("小于下限 {limit}", "Less than {limit}"),
    "field.not_allowed": ("不在可选范围内", "Not one of the allowed values"),
    "field.invalid": ("格式不正确", "Invalid"),
}
