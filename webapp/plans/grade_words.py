"""Words of the year-end evaluation: grades, and how far an evaluation is."""

from __future__ import annotations

from collections.abc import Mapping

from rules.values import Text

GRADES: Mapping[str, tuple[Text, str]] = {
    "excellent": (Text(zh="優等", en="Excellent"), "green"),
    "a": (Text(zh="甲等", en="A"), "blue"),
    "b": (Text(zh="乙等", en="B"), "yellow"),
    "c": (Text(zh="丙等", en="C"), "red"),
}
#: of the grade, and of its case where that says more
STATES: Mapping[str, tuple[Text, str]] = {
    "none": (Text(zh="尚未開始", en="Not begun"), "grey"),
    "open": (Text(zh="考核中", en="Under way"), "blue"),
    "self": (Text(zh="單位自評中", en="With the unit"), "blue"),
    "check": (Text(zh="主管覆核中", en="With the head of the unit"), "blue"),
    "review": (Text(zh="研考複評中", en="With the plan-control office"), "blue"),
    "reviewed": (Text(zh="等候公布", en="To be published"), "yellow"),
    "published": (Text(zh="已公布", en="Published"), "green"),
}
