"""Every page of the product: who looks at it, and where it is. {names} are those of the town."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import pytest

from tests.browser.conftest import NOBODY


class Look(NamedTuple):
    who: str
    path: str
    status: int = 200


CITIZEN, OTHER = "chen.meiling", "wang.daming"
PET_OFFICER, PET_HEAD = "lin.yahan", "chen.shufen"
LAND_OFFICER, LAND_HEAD = "ou.yijun", "cai.wenxiong"
CLERK, ADMINISTRATOR = "huang.meilan", "admin"
SECRETARY, CASHIER, RESEARCH = "xie.wanru", "su.jiaqi", "guo.shiming"

#: no pages: pictures, papers, stylesheets, and a part of the inbox that is fetched by script
NO_PAGES = {
    "static",
    "citizen.form_style",
    "citizen.qr",
    "citizen.receipt",
    "citizen.application",
    "citizen.blank_form",
    "citizen.draft_form",
    "citizen.letter",
    "citizen.document",
    "staff.inbox_counts",
    "staff.letter_batch_pdf",
    "staff.minutes_pdf",
    "staff.overdue_list",
    "staff.overdue_month_file",
    "admin.table_file",
    "citizen.payment_slip",
    "citizen.payment_receipt",
    "admin.version_file",
    "admin.yaml_file",
    "plans.paper_pdf",
    "plans.paper_xlsx",
    "plans.score_file",
    "plans.score_report_xlsx",
}

PUBLIC = [
    Look(NOBODY, "/"),
    Look(NOBODY, "/?q=狗"),
    Look(NOBODY, "/?q=護照"),
    Look(NOBODY, "/?q=車禍和解"),
    Look(NOBODY, "/?q=homstay"),
    Look(NOBODY, "/services/EC06"),
    Look(NOBODY, "/services/EC09"),
    Look(NOBODY, "/services/PW01"),
    Look(NOBODY, "/services/EC09?eligible=no"),
    Look(NOBODY, "/applications"),
    Look(NOBODY, "/track"),
    Look(NOBODY, "/verify"),
    Look(NOBODY, "/verify?number={letter}&code={letter_code}"),
    Look(NOBODY, "/verify?number={letter}&code=0123456789abcdef"),
    Look(NOBODY, "/outbox"),
    Look(NOBODY, "/help"),
    Look(NOBODY, "/accessibility"),
    Look(NOBODY, "/privacy"),
    Look(NOBODY, "/language/zh?next=/help"),
    Look(NOBODY, "/sign-in"),
    Look(NOBODY, "/sign-in/mobile"),
    Look(NOBODY, "/sign-in/code"),
    Look(NOBODY, "/register"),
    Look(NOBODY, "/handover"),
    Look(NOBODY, "/survey/{survey}"),
    Look(NOBODY, "/survey/{answered_survey}"),
    Look(NOBODY, "/nowhere", 404),
    Look(NOBODY, "/applications/{EC09_review}", 404),
]

SIGNED_IN = [
    Look(CITIZEN, "/services/EC09"),
    Look(CITIZEN, "/applications"),
    Look(CITIZEN, "/apply/{leaving}"),
    Look(CITIZEN, "/apply/{empty}/applicant"),
    Look(CITIZEN, "/apply/{land}/applicant"),
    Look(CITIZEN, "/apply/{land}/land"),
    Look(CITIZEN, "/apply/{land}/purpose"),
    Look(CITIZEN, "/apply/{land}/documents"),
    Look(CITIZEN, "/apply/{land}/declaration"),
    Look(CITIZEN, "/apply/{ready}/pet"),
    Look(CITIZEN, "/apply/{ready}/operation"),
    Look(CITIZEN, "/apply/{ready}/documents"),
    Look(CITIZEN, "/apply/{ready}/pet?return=review"),
    Look(CITIZEN, "/apply/{ready}/review"),
    Look(CITIZEN, "/apply/{empty}/review"),
    Look(CITIZEN, "/apply/{empty}/handover"),
    Look(CITIZEN, "/apply/{helped}/handover"),
    Look(OTHER, "/apply/{helped}/applicant"),
    Look(OTHER, "/apply/{helped}/review"),
    Look(OTHER, "/apply/{road}/applicant"),
    Look(OTHER, "/apply/{road}/work"),
    Look(OTHER, "/apply/{road}/schedule"),
    Look(OTHER, "/apply/{road}/documents"),
    Look(CITIZEN, "/applications/{EC09_review}"),
    Look(CITIZEN, "/applications/{EC09_correction}"),
    Look(CITIZEN, "/applications/{EC09_granted}"),
    Look(CITIZEN, "/applications/{EC09_rejected}"),
    Look(CITIZEN, "/applications/{EC09_withdrawn}"),
    Look(CITIZEN, "/applications/{EC06_inspect}"),
    Look(CITIZEN, "/applications/{EC06_improvement}"),
    Look(CITIZEN, "/applications/{EC06_review}/confirmation"),
    Look(CITIZEN, "/applications/{EC09_correction}/correction"),
    Look(CITIZEN, "/applications/{EC06_improvement}/correction"),
    Look(CITIZEN, "/applications/{EC09_review}/withdraw"),
    Look(OTHER, "/applications/{PW01_co_review}"),
    Look(CITIZEN, "/applications/{EC06_busy}"),
    Look(CITIZEN, "/applications/{EC06_busy}/booking"),
    Look(CITIZEN, "/applications/{EC06_busy}/refund"),
    Look(CITIZEN, "/staff/inbox", 403),
    Look(CITIZEN, "/applications/{PW01_review}", 404),
]

OFFICE = [
    Look(PET_OFFICER, "/staff/"),
    *(
        Look(PET_OFFICER, f"/staff/inbox?tab={tab}")
        for tab in ("mine", "pool", "correction", "deputy", "due", "overdue", "done")
    ),
    Look("yang.zhihao", "/staff/inbox?tab=co_review"),
    Look("hong.peishan", "/staff/inbox?tab=co_review"),
    Look(PET_OFFICER, "/staff/inbox?tab=mine&service=PW01"),
    Look(PET_OFFICER, "/staff/search?q=EC09-114-999999"),
    Look(PET_OFFICER, "/staff/search?q=狗"),
    Look(PET_OFFICER, "/staff/search?q={EC09_granted_number}"),
    Look(PET_OFFICER, "/services/EC09"),
    Look(PET_OFFICER, "/applications/{EC09_review}"),
    Look(PET_OFFICER, "/staff/cases/{EC09_by_post}"),
    Look(PET_OFFICER, "/staff/cases/{EC09_pool}"),
    Look(PET_OFFICER, "/staff/cases/{EC09_absent}"),
    Look(PET_OFFICER, "/staff/cases/{EC09_correction_answered}"),
    Look(PET_HEAD, "/staff/cases/{EC09_rejected}"),
    Look(PET_HEAD, "/staff/cases/{EC09_returned}"),
    Look(LAND_HEAD, "/staff/cases/{EC06_improvement}"),
    Look(CLERK, "/staff/intake"),
    Look(CLERK, "/staff/intake?q=護照"),
    Look(CLERK, "/staff/intake?service=EC06"),
    Look(CLERK, "/staff/intake/handover"),
    Look(CLERK, "/apply/{paper}/applicant"),
    Look(ADMINISTRATOR, "/outbox"),
    Look(PET_OFFICER, "/staff/phrases"),
    Look(PET_OFFICER, "/staff/letters?channel=electronic"),
    Look(PET_OFFICER, "/staff/paper-notices"),
    Look(PET_OFFICER, "/staff/letters/{letter_pid}"),
    Look(PET_OFFICER, "/staff/letters/{letter_pid}/change"),
    Look(PET_HEAD, "/staff/letter-changes"),
    Look(PET_HEAD, "/staff/letter-changes/{letter_change}"),
    Look(PET_OFFICER, "/staff/letter-batches/{letter_batch}"),
    Look(PET_OFFICER, "/staff/notices"),
    Look(LAND_HEAD, "/staff/absences"),
    Look(LAND_HEAD, "/staff/expediting"),
    Look(PET_HEAD, "/staff/expediting/months/{overdue_month}"),
    Look(PET_HEAD, "/staff/surveys"),
    Look(PET_HEAD, "/staff/audits"),
    Look(PET_HEAD, "/staff/audits/{audit}"),
    Look(LAND_HEAD, "/staff/cases/{EC06_busy}"),
    Look(LAND_HEAD, "/staff/cases/{EC06_busy}/holding"),
    Look(LAND_HEAD, "/staff/cases/{EC06_busy}/why"),
    Look(LAND_HEAD, "/staff/cases/{EC06_busy}/also/move"),
    Look(LAND_HEAD, "/staff/cases/{EC06_busy}/suspension"),
    Look(LAND_HEAD, "/staff/extensions/{extension}"),
    Look(PET_OFFICER, "/staff/cases/{EC09_absent}/extension"),
    Look(LAND_HEAD, "/staff/slots"),
    Look(LAND_HEAD, "/staff/slots/{resource}"),
    Look(LAND_HEAD, "/staff/slots/{resource}/settings"),
    Look(LAND_HEAD, "/staff/slots/{resource}/close"),
    Look(SECRETARY, "/staff/committees"),
    Look(SECRETARY, "/staff/committees/{committee}"),
    Look(SECRETARY, "/staff/committees/{committee}/settings"),
    Look(SECRETARY, "/staff/committees/{committee}/members?kind=outside"),
    Look(SECRETARY, "/staff/committees/{committee}/members/{seat}"),
    Look(SECRETARY, "/staff/sessions/{session}"),
    Look(SECRETARY, "/staff/sessions/{session}/items/{item}"),
    Look(SECRETARY, "/staff/sessions/{session}/change"),
    Look(LAND_OFFICER, "/staff/agenda/{item}"),
    Look(CASHIER, "/staff/cashier"),
    Look(CASHIER, "/staff/invoices/{invoice}"),
    Look(CASHIER, "/staff/payments/{lost_payment}?q={invoice_account}"),
    Look(PET_OFFICER, "/staff/payouts"),
    Look(PET_OFFICER, "/staff/payouts/services/EC09"),
    Look(PET_OFFICER, "/staff/payouts/checks"),
    Look(PET_OFFICER, "/staff/payouts/claims/{claim}"),
    Look(PET_HEAD, "/staff/payouts/lists/{proposed_list}"),
    Look(CASHIER, "/staff/payouts/lists/{approved_list}"),
    Look(CASHIER, "/staff/payouts/lists/{paid_list}"),
    Look(ADMINISTRATOR, "/staff/days"),
    Look(ADMINISTRATOR, "/staff/days/{day}"),
    Look(ADMINISTRATOR, "/staff/effects"),
    Look(ADMINISTRATOR, "/staff/rule-alarms"),
    Look(ADMINISTRATOR, "/staff/legal-basis"),
    Look(ADMINISTRATOR, "/admin/definitions"),
    Look(ADMINISTRATOR, "/admin/drafts/{grid_draft}/edit"),
    Look(ADMINISTRATOR, "/admin/drafts/{grid_draft}/edit/parameters"),
    Look(ADMINISTRATOR, "/admin/drafts/{rules_draft}/edit/rules"),
    Look(ADMINISTRATOR, "/admin/definitions/ruleset/year_end_grade"),
    Look(ADMINISTRATOR, "/admin/definitions/ruleset/verification_picking"),
    Look(ADMINISTRATOR, "/admin/definitions/service/EC09"),
    Look(ADMINISTRATOR, "/admin/definitions/ruleset/progress_lag/versions/1"),
    Look(ADMINISTRATOR, "/admin/definitions/ruleset/case_deadlines/compare?before=1&after=2"),
    Look(ADMINISTRATOR, "/admin/drafts/{draft_wrong}"),
    Look(ADMINISTRATOR, "/admin/drafts/{draft_failing}"),
    Look("guo.shiming", "/admin/drafts/{draft_ready}"),
    Look("guo.shiming", "/admin/drafts/{draft_ready}/trial"),
    Look(ADMINISTRATOR, "/admin/drafts/{grid_draft}/edit/tables/1"),
    Look(ADMINISTRATOR, "/admin/drafts/{grid_draft}/edit/tables/1/paste"),
    Look(ADMINISTRATOR, "/admin/drafts/{rules_draft}/edit/rules/carry_over"),
    Look(ADMINISTRATOR, "/admin/drafts/{rules_draft}/edit/examples?run=all"),
    Look(ADMINISTRATOR, "/admin/drafts/{rules_draft}/edit/examples/4"),
    Look(ADMINISTRATOR, "/admin/drafts/{rules_draft}/edit/examples/record?subject={EC09_granted_number}"),
    Look(ADMINISTRATOR, "/admin/drafts/{rules_draft}/edit/yaml"),
    Look(RESEARCH, "/plans/"),
    Look(RESEARCH, "/plans/registers/major_policy-109?period=109Q3"),
    Look(RESEARCH, "/plans/registers/major_policy-109/print"),
    Look(RESEARCH, "/plans/{plan}"),
    Look(RESEARCH, "/plans/registers/major_policy-109/verification?period=109Q3"),
    Look(PET_OFFICER, "/plans/verifications/{verification}"),
    Look(RESEARCH, "/plans/meetings"),
    Look(PET_OFFICER, "/plans/registers/major_policy-109/meetings?period=109Q3"),
    Look(RESEARCH, "/plans/meetings/{meeting}"),
    Look(PET_OFFICER, "/plans/registers/selected-109"),
    Look(ADMINISTRATOR, "/services/EC01"),
    Look(RESEARCH, "/plans/scores"),
    Look(PET_OFFICER, "/plans/scores/{score_published}"),
    Look(PET_OFFICER, "/plans/scores/{score_published}/indicators/{score_inverse}"),
    Look(PET_OFFICER, "/plans/scores/{score_drafting}/indicators/{score_open}"),
    Look(RESEARCH, "/plans/scores/{score_drafting}/weights"),
    Look(RESEARCH, "/plans/scores/{score_review}/review"),
    Look(RESEARCH, "/plans/scores/{score_review}/report.pdf", 202),
    Look("dong.weilun", "/staff/intake", 403),
    Look("dong.weilun", "/staff/cases/{EC09_review}", 404),
]
#: what a case page may hold beside answers: opinions, records with photographs, letters
CASES = [
    Look(LAND_HEAD, "/staff/cases/{EC06_approve}"),
    Look("yang.zhihao", "/staff/cases/{PW01_consolidate}"),
    Look("yang.zhihao", "/staff/cases/{PW01_co_review}"),
]

LOOKS = [*PUBLIC, *SIGNED_IN, *OFFICE]
#: every kind of page once more
IN_ENGLISH = [
    look
    for look in LOOKS
    if look.path
    in {
        "/",
        "/?q=護照",
        "/?q=車禍和解",
        "/services/EC06",
        "/services/EC09?eligible=no",
        "/track",
        "/verify?number={letter}&code={letter_code}",
        "/outbox",
        "/help",
        "/accessibility",
        "/privacy",
        "/sign-in",
        "/sign-in/mobile",
        "/register",
        "/handover",
        "/apply/{helped}/handover",
        "/apply/{helped}/review",
        "/nowhere",
        "/applications",
        "/apply/{land}/land",
        "/apply/{ready}/review",
        "/applications/{EC09_correction}",
        "/applications/{EC06_review}/confirmation",
        "/applications/{EC09_correction}/correction",
        "/applications/{EC09_review}/withdraw",
        "/staff/inbox?tab=mine",
        "/staff/inbox?tab=done",
        "/staff/search?q=狗",
        "/staff/cases/{EC09_by_post}",
        "/staff/cases/{EC06_improvement}",
        "/staff/cases/{EC06_busy}/why",
        "/staff/effects",
        "/staff/rule-alarms",
        "/staff/payments/{lost_payment}?q={invoice_account}",
        "/staff/payouts",
        "/staff/payouts/services/EC09",
        "/staff/payouts/claims/{claim}",
        "/staff/payouts/lists/{paid_list}",
        "/staff/intake",
        "/staff/intake?service=EC06",
        "/admin/definitions/ruleset/year_end_grade",
        "/admin/drafts/{draft_wrong}",
        "/admin/drafts/{draft_ready}/trial",
        "/plans/registers/major_policy-109?period=109Q3",
        "/plans/{plan}",
        "/plans/registers/major_policy-109/verification?period=109Q3",
        "/plans/verifications/{verification}",
        "/plans/meetings/{meeting}",
        "/plans/scores",
        "/plans/scores/{score_published}",
        "/plans/scores/{score_published}/indicators/{score_inverse}",
        "/plans/scores/{score_review}/review",
    }
]


def named(look: Look) -> str:
    return f"{look.who or 'nobody'}:{look.path}"


def officer_of(case: str) -> str:
    """Who acts on a case of the town."""
    code, _, state = case.partition("_")
    if state.startswith("approve"):
        return {"EC09": PET_HEAD, "EC06": LAND_HEAD, "PW01": "zhang.jianguo"}[code]
    if state == "co_review":
        return "lv.xinyi"
    return {"EC09": PET_OFFICER, "EC06": LAND_OFFICER, "PW01": "yang.zhihao"}[code]


def some(looks: Sequence[Any], every: int = 4) -> list[Any]:
    """Every fourth (or so) page always, the others in the full run."""
    return [
        look if n % every == 0 else pytest.param(look, marks=pytest.mark.full) for n, look in enumerate(looks)
    ]
