"""What is said about categories: code → (Chinese, English)."""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str]] = {
    "category.unknown": ("没有这个类别", "No such category"),
    "category.published_meanwhile": (
        "期间有人发布了第 {version} 版",
        "Version {version} was published meanwhile",
    ),
    "category.group.street_order": ("街面秩序", "Street order"),
    "category.group.appearance": ("市容环境", "Cleanliness and appearance"),
    "category.group.roads": ("道路交通", "Roads and traffic"),
    "category.group.utilities": ("公用设施", "Public facilities"),
    "category.group.emergency": ("突发事件", "Emergencies"),
    "category.group.works": ("施工管理", "Construction works"),
    "category.group.adverts": ("宣传广告", "Advertising"),
    "category.group.greening": ("园林绿化", "Trees and greenery"),
    "category.group.other": ("其他", "Something else"),
}
