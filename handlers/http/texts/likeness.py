"""Why two cases may be one thing, or not: part and direction → (zh, en)."""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str]] = {
    "likeness.distance.for": ("位置接近", "Close by"),
    "likeness.distance.against": ("位置较远", "Some way off"),
    "likeness.category.for": ("类别相同", "The same kind"),
    "likeness.category.against": ("类别不同", "Another kind"),
    "likeness.age.against": ("上报较早或已处置", "Reported earlier, or fixed since"),
    "likeness.object_id.for": ("编号相符", "The numbers agree"),
    "likeness.object_id.against": ("编号不同", "The numbers differ"),
    "likeness.photo.for": ("照片相似", "The photos are alike"),
    "likeness.photo.against": ("照片不相似", "The photos are not alike"),
    "likeness.reported_again.against": ("此后该处另有上报", "Reported there again since"),
}
