"""Words of verifications, meetings and resolutions."""

from __future__ import annotations

from collections.abc import Mapping

from rules.values import Text

VERIFICATIONS: Mapping[str, Text] = {
    "on_site": Text(zh="實地查證", en="On site"),
    "written": Text(zh="書面查證", en="In writing"),
    "heads_meeting": Text(zh="提主管會報", en="To the heads meeting"),
    "passed_over": Text(zh="略過", en="Passed over"),
}
VERIFICATION_STATES: Mapping[str, tuple[Text, str]] = {
    "open": (Text(zh="辦理中", en="Under way"), "blue"),
    "closed": (Text(zh="完成", en="Complete"), "green"),
    "passed_over": (Text(zh="略過", en="Passed over"), "grey"),
    "withdrawn": (Text(zh="已撤銷", en="Withdrawn"), "grey"),
}
PICKED_BY: Mapping[str, Text] = {
    "rule": Text(zh="依規則選案", en="picked by the rules"),
    "hand": Text(zh="研考單位選案", en="picked by the control office"),
}
MEETINGS: Mapping[str, Text] = {
    "quarterly_review": Text(zh="季檢討會", en="Quarterly review"),
    "monthly_review": Text(zh="按月檢討會", en="Monthly review"),
    "project": Text(zh="重大專案列管會議", en="Meeting on major projects"),
    "policy": Text(zh="重大政策暨計畫列管會議", en="Meeting on major policies"),
    "heads": Text(zh="主管會報", en="Heads meeting"),
    "briefing": Text(zh="施政計畫簡報", en="Briefing on the plans of the year"),
    "visit": Text(zh="實地輔導訪視", en="Guidance visit"),
    "other": Text(zh="其他會議", en="Another meeting"),
}
#: what is counted beside the meetings that were entered
ON_SITE: Mapping[str, Text] = {
    "on_site": Text(zh="實地查證（查證紀錄）", en="On-site verifications (on record)")
}
RESOLUTIONS: Mapping[str, tuple[Text, str]] = {
    "executing": (Text(zh="執行中", en="Under way"), "blue"),
    "continued": (Text(zh="續管", en="Continued"), "yellow"),
    "released": (Text(zh="解除列管", en="Released"), "green"),
    "withdrawn": (Text(zh="已撤銷", en="Withdrawn"), "grey"),
}
