"""A meeting with its resolutions, a visit that found something and a plan for the heads, for tests of pages."""

from __future__ import annotations

from datetime import timedelta

from tests.journeys import NOW, officer, take
from webapp.extensions import db
from webapp.models import Case, RegisterEntry
from webapp.moments import taipei_day
from webapp.periods import parse
from webapp.queries import plans
from webapp.services import meetings, resolutions, verifications
from webapp.services.meetings import Entered
from webapp.uow import unit_of_work

TODAY = taipei_day(NOW)


def settle() -> dict[str, str]:
    """The public ids by name."""
    control, register, quarter = officer("guo.shiming"), plans.register("major_policy-109"), parse("109Q3")
    with unit_of_work():
        said = Entered(
            "policy", "重大政策列管會議", TODAY - timedelta(days=9), "第一會議室", "縣長", "請加速辦理"
        )
        meeting = meetings.enter(control, register, said, ["追蹤上次決議"], NOW)
        lines = "碼頭工程增加工班，每週回報 | 港務處、工務處 | 114/12/31\n檢討發包策略 | 教育處"
        asked = resolutions.read_lines(lines, meeting)
        resolutions.resolve(control, meeting, asked, NOW, version=1)
        picks = verifications.picked(register, quarter, NOW)
        wanted = {picks[0].entry_id, next(pick.entry_id for pick in picks if pick.kind == "heads_meeting")}
        entries = [db.session.get_one(RegisterEntry, entry).public_id for entry in wanted]
        opened = verifications.open_ticked(control, register, quarter, entries, NOW)
        made = next(each for each in opened if each.entry_id == picks[0].entry_id)
    seen = {
        f"seen_on-{part}": [value]
        for part, value in zip(("year", "month", "day"), ("114", "9", "24"), strict=True)
    }
    due = {
        f"findings-0-due_on-{part}": [value]
        for part, value in zip(("year", "month", "day"), ("114", "10", "31"), strict=True)
    }
    finding = {"findings-0-finding": ["鋼筋外露"], "findings-0-required": ["補強並送照片"], **due}
    record = {
        "place": ["工地"],
        "people": ["研考單位、港務處"],
        "seen": ["60"],
        "result": ["improve"],
        "conclusion": ["與填報不符"],
    }
    take(db.session.get_one(Case, made.case_id), "record", "guo.shiming", raw={**seen, **record, **finding})
    return {"meeting": meeting.public_id, "verification": made.public_id}
