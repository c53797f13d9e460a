"""The words of the editorial desk."""

from __future__ import annotations

import re
from collections.abc import Mapping

from rules.values import Text

KINDS: Mapping[str, Text] = {
    "ruleset": Text(zh="規則集", en="Rulesets"),
    "form": Text(zh="表單", en="Forms"),
    "workflow": Text(zh="流程", en="Workflows"),
    "service": Text(zh="申辦項目", en="Services"),
}
#: of a draft, with its colour
STATES: Mapping[str, tuple[Text, str]] = {
    "editing": (Text(zh="草稿", en="Draft"), "yellow"),
    "submitted": (Text(zh="送審中", en="Submitted"), "blue"),
    "published": (Text(zh="已發布", en="Published"), "green"),
    "discarded": (Text(zh="已捨棄", en="Discarded"), "grey"),
}
#: of a revision
VERSIONS: Mapping[str, tuple[Text, str]] = {
    "in_force": (Text(zh="現行", en="In force"), "green"),
    "scheduled": (Text(zh="排定", en="Scheduled"), "turquoise"),
    "past": (Text(zh="曾經發布", en="Published before"), "grey"),
    "unpublished": (Text(zh="沒有發布", en="Not published"), "grey"),
}
ORIGINS: Mapping[str, Text] = {
    "file": Text(zh="出廠設定", en="factory setting"),
    "editor": Text(zh="線上編輯", en="edited here"),
}
STEPS: Mapping[str, Text] = {
    "draft opened": Text(zh="建立草稿", en="draft opened"),
    "draft saved": Text(zh="儲存草稿", en="draft saved"),
    "draft discarded": Text(zh="捨棄草稿", en="draft discarded"),
    "draft submitted": Text(zh="送審", en="submitted"),
    "draft sent back": Text(zh="退回修改", en="sent back"),
    "draft taken back": Text(zh="撤回送審", en="taken back"),
    "draft caught up": Text(zh="納入新版本", en="newer version taken over"),
    "draft approved": Text(zh="核准", en="approved"),
    "published": Text(zh="發布", en="published"),
    "rolled back": Text(zh="復原", en="rolled back"),
}


def about(subject: str) -> Text:
    """Of which draft or version an entry of the audit record speaks."""
    if found := re.search(r" draft (\d+) ", subject):
        return Text(zh=f"草稿 {found[1]}", en=f"draft {found[1]}")
    if found := re.search(r"#(\d+)", subject):
        return Text(zh=f"版本 {found[1]}", en=f"version {found[1]}")
    return Text(zh=subject)
