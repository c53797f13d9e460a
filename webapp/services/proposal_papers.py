"""What a call prints: the minutes of a sitting, and the list for 主計 of what goes into the review of the budget.

PDF, printed by the worker, and the same as a spreadsheet.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from rules.values import Text, format_day
from webapp.errors import Refused
from webapp.extensions import db
from webapp.letters import documents as papers
from webapp.letters.contents import Column, PlanTable
from webapp.models import PlanPaper, ProposalCall, ProposalSitting
from webapp.queries import proposals
from webapp.queries.org import chart
from webapp.queries.proposals import Line, Totals
from webapp.services import effects, plan_papers

Config = Mapping[str, Any]
EFFECT = "proposal_paper"
DECIDED = {"kept": "納入", "amended": "修正後納入", "dropped": "不納入"}
BY_THE_MINISTRY = {"kept": "中央核定", "amended": "中央核定（金額調整）", "dropped": "未獲核定"}


@dataclass(frozen=True)
class Paper:
    """The list of a call, or the minutes of one of its sittings."""

    call: ProposalCall
    sitting: ProposalSitting | None = None

    @property
    def name(self) -> str:
        return f"minutes-{self.sitting.number}" if self.sitting is not None else "proposals-kept"


def table(paper: Paper, config: Config) -> PlanTable:
    return _minutes(paper.call, paper.sitting, config) if paper.sitting else _kept(paper.call, config)


def _kept(of: ProposalCall, config: Config) -> PlanTable:
    columns = (
        Column("單位", 36),
        Column("提報案號", 34),
        Column("計畫", 84),
        Column("提報經費(元)", 32, numeric=True),
        Column("納入經費(元)", 32, numeric=True),
        Column("決議", 44),
    )
    rows = [
        (_unit(line), line.number, line.title, _money(line.budget), _money(line.left), _said(line))
        for line in proposals.kept(of)
    ]
    found = proposals.totals(of)
    return PlanTable(
        agency_name=config["AGENCY_NAME"],
        title=f"{of.title}納入概算審查計畫清單",
        subtitle=f"{proposals.register_of(of).roc_year}年度",
        columns=columns,
        rows=tuple(rows),
        grouped=1,
        remarks=(_totals("提報", found), *_by_unit(of)),
        state="送主計單位辦理概算審查。",
    )


def _minutes(of: ProposalCall, sitting: ProposalSitting, config: Config) -> PlanTable:
    said = BY_THE_MINISTRY if sitting.mode == "central" else DECIDED
    columns = (
        Column("單位", 34),
        Column("提報案號", 34),
        Column("計畫", 66),
        Column("提報經費(元)", 30, numeric=True),
        Column("決議", 28),
        Column("納入經費(元)", 30, numeric=True),
        Column("修正內容或理由", 54),
    )
    rows = [
        (
            _unit(line),
            line.number,
            line.title,
            _money(line.budget),
            said[line.decision] if line.decision else "未決議",
            _money(line.left) if line.decision in ("kept", "amended") else "",
            line.words,
        )
        for line in sorted(proposals.agenda(sitting, None), key=lambda line: (line.unit_id, line.case_id))
    ]
    kind = "中央審核結果" if sitting.mode == "central" else "審查會議"
    return PlanTable(
        agency_name=config["AGENCY_NAME"],
        title=f"{of.title}第{sitting.number}次{kind}紀錄",
        subtitle=f"{format_day(sitting.held_on, 'zh')}　{sitting.place}　主席：{sitting.chair}",
        columns=columns,
        rows=tuple(rows),
        grouped=1,
        remarks=(_totals("議程", proposals.of_sitting(sitting)),),
        state="依各案決議登錄。",
    )


def _unit(line: Line) -> str:
    return chart().units[line.unit_id].zh


def _money(amount: Decimal | None) -> str:
    return f"{amount:,.0f}" if amount is not None else ""


def _said(line: Line) -> str:
    said = DECIDED[line.decision or "kept"]
    return f"{said}：{line.words}" if line.words else said


def _totals(what: str, found: Totals) -> str:
    return (
        f"{what} {found.submitted} 案，{found.asked:,} 元；納入 {found.kept} 案，{found.left:,} 元；"
        f"不納入 {found.dropped} 案；未決議 {found.undecided} 案。"
    )


def _by_unit(of: ProposalCall) -> Iterable[str]:
    for unit, found in proposals.by_unit(of):
        if found.kept:
            yield f"{unit.zh}：納入 {found.kept} 案，{found.left:,} 元。"


# --- on paper -------------------------------------------------------------------------------------------------


def pdf(paper: Paper, now: datetime, config: Config) -> bytes | None:
    """None while it is being printed."""
    content = table(paper, config)
    if len(content.rows) > plan_papers.MOST_ON_PAPER:
        raise Refused(
            Text(
                zh=f"超過 {plan_papers.MOST_ON_PAPER} 列，不製作 PDF；請下載 XLSX。",
                en=f"More than {plan_papers.MOST_ON_PAPER} rows are not printed as PDF: download the XLSX.",
            )
        )
    register, digest = proposals.register_of(paper.call), _digest(content)
    kept = db.session.get(PlanPaper, (register.id, str(register.roc_year), paper.name))
    if kept is not None and kept.digest == digest:
        return kept.pdf
    sitting = paper.sitting.public_id if paper.sitting else ""
    key = f"{register.key}:{paper.name}"
    effects.order(EFFECT, key, digest, now, plan_papers.FAILED, call=paper.call.public_id, sitting=sitting)
    return None


def print_paper(call: str, sitting: str, now: datetime, config: Config) -> None:
    paper = Paper(proposals.call(call), proposals.sitting(sitting) if sitting else None)
    register, content = proposals.register_of(paper.call), table(paper, config)
    db.session.merge(
        PlanPaper(
            register_id=register.id,
            period=str(register.roc_year),
            name=paper.name,
            digest=_digest(content),
            pdf=papers.plan_table(content),
            printed_at=now,
        )
    )
    db.session.flush()


def _digest(content: PlanTable) -> str:
    return hashlib.sha256(f"{plan_papers.layout()}{content!r}".encode()).hexdigest()
