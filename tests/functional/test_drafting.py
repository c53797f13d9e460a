"""擬稿: the words of a letter are changed by its officer and its heads, in versions; the last one is sent."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from tests.journeys import NOW, open_tasks, submitted, take
from tests.officers import at, case_of, corrected, made, officer_of, signed_in
from tests.visitor import Page, Visitor
from webapp.errors import Refused
from webapp.extensions import db
from webapp.letters import changes
from webapp.models import Letter, LetterDraft, Phrase
from webapp.services.drafting import Passage, Wording
from webapp.services.steps import Given

HEAD = "chen.shufen"
PROPOSE, APPROVE, EDIT = "擬予核准，送主管決行", "核准並發文", "修改公文文字"
SUBSIDY = {"amount-subsidy": "2000"}


@pytest.fixture(autouse=True)
def _clock(app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    at(app, monkeypatch, NOW)
    yield


@pytest.fixture
def case(app: Flask) -> str:
    return made(app, lambda: submitted("EC09").public_id)


def at_desk(app: Flask, case: str, login: str = "") -> Visitor:
    visitor = signed_in(app, login or made(app, lambda: officer_of(case_of(case))))
    visitor.get(f"/staff/cases/{case}")
    return visitor


def texts(page: Page) -> list[str]:
    return [area.text.strip() for area in page.soup.select('textarea[name^="letter-"]')]


def drafts(app: Flask) -> list[dict]:
    return made(
        app, lambda: [d.body for d in db.session.scalars(select(LetterDraft).order_by(LetterDraft.id))]
    )


def sent(app: Flask) -> dict:
    return made(app, lambda: db.session.scalars(select(Letter)).one().content)


def test_the_template_is_changed_by_the_officer_and_by_the_head_and_the_last_version_is_sent(
    app: Flask, case: str
) -> None:
    officer = at_desk(app, case)
    officer.follow(PROPOSE)
    officer.press(EDIT, SUBSIDY)
    before = texts(officer.page)
    assert before[0].startswith("核") and "2,000" in " ".join(before), "the template, filled in"
    assert before[-1] == "", "one box more"
    last = len(before) - 2
    officer.press(
        "預覽", {"letter-subject": "核准補助絕育費用，請查照。", f"letter-text-{last}": "請於領據簽名。"}
    )
    assert "核准補助絕育費用，請查照。" in officer.page.soup.select_one("#preview").text
    officer.press(PROPOSE)
    assert made(app, lambda: case_of(case).state) == "approve"

    head = at_desk(app, case, HEAD)
    head.follow(APPROVE)
    assert texts(head.page)[0] == "核准補助絕育費用，請查照。", "the head sees what was drafted"
    head.press(APPROVE, {"letter-subject": "核准補助犬貓絕育費用，請查照。"})
    content = sent(app)
    assert content["subject"] == "核准補助犬貓絕育費用，請查照。"
    assert content["paragraphs"][-1] == "請於領據簽名。"
    assert [d["subject"] for d in drafts(app)] == ["核准補助絕育費用，請查照。", content["subject"]]

    page = at_desk(app, case, HEAD).page
    added = page.soup.select_one("ins.app-added")
    assert added.text == "〔增加〕犬貓〔增加結束〕", "told to the ear too"
    assert "第 2 版" in page.text and "陳淑芬" in page.text


def test_what_nobody_changed_follows_the_reason_of_the_decider(app: Flask, case: str) -> None:
    made(app, lambda: take(case_of(case), "propose_rejection", comment="收據不符"))
    head = at_desk(app, case, HEAD)
    head.follow("同意駁回並發文")
    assert texts(head.page) == []
    head.press("同意駁回並發文", {"comment": "手術證明不符"})
    assert "手術證明不符" in " ".join(sent(app)["paragraphs"])
    first, second = drafts(app)
    assert (first["reason"], second["reason"]) == ("收據不符", "手術證明不符")


@pytest.mark.parametrize("button", ["預覽", PROPOSE])
@pytest.mark.parametrize(("part", "name"), [("fact", "事實"), ("reason", "理由"), ("basis", "法令依據")])
def test_what_the_law_demands_cannot_be_emptied(
    app: Flask, case: str, button: str, part: str, name: str
) -> None:
    officer = at_desk(app, case)
    officer.follow(PROPOSE)
    officer.press(EDIT, SUBSIDY)
    parts = [tag["value"] for tag in officer.page.soup.select('input[name^="letter-part-"]')]
    emptied = {f"letter-text-{number}": " \n" for number, each in enumerate(parts) if each == part}
    officer.press(button, emptied)
    assert officer.page.status == 422
    assert officer.page.mistakes == [f"公文必須記載{name}（行政程序法第96條），不能留白。"]
    assert len(texts(officer.page)) == len(parts) + 1, "what was typed is kept"
    assert drafts(app) == []


def test_without_the_page_the_law_holds_too(app: Flask, case: str) -> None:
    def propose() -> None:
        with pytest.raises(Exception, match="理由"):
            take(
                case_of(case),
                "propose_approval",
                wording=Wording("主旨", (Passage("fact", "甲"), Passage("basis", "乙"))),
            )

    made(app, propose)
    assert drafts(app) == []


def test_the_boxes_close_again(app: Flask, case: str) -> None:
    officer = at_desk(app, case)
    officer.follow(PROPOSE)
    officer.press(EDIT, SUBSIDY)
    officer.press("改回範本的文字", {"letter-subject": "別的"})
    assert texts(officer.page) == []
    assert officer.page.value("amount-subsidy") == "2000"


def test_a_draft_from_before_a_correction_is_not_offered_again(app: Flask, case: str) -> None:
    parts = (Passage("fact", "事實甲"), Passage("reason", "理由甲"), Passage("basis", "依據甲"))
    words = Wording("主旨甲", parts)

    def until_sent_back() -> None:
        found = case_of(case)
        take(found, "propose_approval", wording=words)
        take(found, "send_back", comment="再查")

    made(app, until_sent_back)
    officer = at_desk(app, case)
    officer.follow(PROPOSE)
    assert texts(officer.page)[:2] == ["主旨甲", "事實甲"], "the officer goes on where they were"

    def correct() -> None:
        found = case_of(case)
        take(found, "request_correction", fields=("pet_name",), comment="請改")
        corrected(found, NOW + timedelta(hours=1), pet_name=["小花花"])

    made(app, correct)
    officer = at_desk(app, case)
    officer.follow(PROPOSE)
    assert texts(officer.page) == []


def test_a_letter_that_was_changed_is_not_lost_when_somebody_was_faster(app: Flask, case: str) -> None:
    officer = at_desk(app, case)
    officer.follow(PROPOSE)
    officer.press(EDIT, SUBSIDY)
    made(app, lambda: take(case_of(case), "propose_rejection", comment="不符"))
    officer.press(PROPOSE, {"letter-subject": "我改的主旨"})
    assert officer.page.status == 409 and "我改的主旨" in officer.page.text


# --- phrases ----------------------------------------------------------------------------------------------


def keep_phrase(visitor: Visitor, title: str, text: str, service: str = "") -> None:
    visitor.get("/staff/phrases")
    visitor.press("加入", {"title": title, "text": text, "service": service})


def test_a_phrase_is_kept_by_the_unit_and_inserted_without_a_script(app: Flask, case: str) -> None:
    colleague = made(app, lambda: officer_of(case_of(case)))
    officer = signed_in(app, colleague)
    keep_phrase(officer, "收據不符", "收據所載日期早於手術日期。", "EC09")
    keep_phrase(officer, "別項", "不適用。", "EC06")
    assert "已加入片語" in officer.page.text
    officer.get(f"/staff/cases/{case}")
    officer.follow("擬予駁回，送主管決行")
    options = [o.text for o in officer.page.soup.select("#phrase option")]
    assert len(options) == 2 and options[1].startswith("收據不符："), "those of other services are left out"
    officer.press("插入")
    assert officer.page.status == 422 and officer.page.mistakes == ["請先選擇片語，再按「插入」。"]
    chosen = officer.page.soup.select("#phrase option")[1]["value"]
    officer.press("插入", {"phrase": chosen, "comment": "查"})
    assert officer.page.value("comment").split() == ["查", "收據所載日期早於手術日期。"]
    officer.press(EDIT)
    officer.press("插入", {"phrase": chosen})
    assert sum(text.count("收據所載日期早於手術日期。") for text in texts(officer.page)) == 2, (
        "into the reasons"
    )

    officer.get("/staff/phrases")
    officer.press("停用", within="tr:has(td:-soup-contains('收據不符'))")
    assert "已停用" in officer.page.text
    officer.get(f"/staff/cases/{case}")
    officer.follow("擬予駁回，送主管決行")
    assert officer.page.soup.select("#phrase") == []


@pytest.mark.parametrize(
    ("title", "text"),
    [("", "內容"), ("名稱", " "), ("名" * 41, "內容"), ("名稱", "內" * 1001), ("名稱", "\U0001f60a")],
)
def test_a_phrase_that_is_none_is_refused_and_kept_on_the_page(app: Flask, title: str, text: str) -> None:
    officer = signed_in(app, "lin.yahan")
    keep_phrase(officer, title, text)
    assert officer.page.status == 422 and officer.page.mistakes
    assert (officer.page.value("title"), officer.page.value("text").strip()) == (title, text.strip())
    assert made(app, lambda: db.session.query(Phrase).count()) == 0


def test_phrases_of_another_unit_are_not_offered(app: Flask, case: str) -> None:
    keep_phrase(signed_in(app, "weng.guoliang"), "農林", "農林科的片語。")
    officer = at_desk(app, case)
    officer.follow("擬予駁回，送主管決行")
    assert officer.page.soup.select("#phrase") == []


# --- changes between versions -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("准予補助。", "准予補助。", "=准予補助。"),
        ("准予補助。", "准予全額補助。", "=准予 +全額 =補助。"),
        ("准予補助二千元。", "准予補助一千元。", "=准予補助 -二 +一 =千元。"),
        ("甲乙丙", "子丑寅卯", "-甲乙丙 +子丑寅卯"),
        ("", "新段", "+新段"),
        ("舊段", "", "-舊段"),
    ],
)
def test_pieces(old: str, new: str, said: str) -> None:
    marks = {"same": "=", "added": "+", "removed": "-"}
    assert " ".join(marks[piece.kind] + piece.text for piece in changes.pieces(old, new)) == said


def test_a_paragraph_in_between_leaves_the_others_alone() -> None:
    found = list(changes.paragraphs(["甲段", "乙段"], ["甲段", "丙丁戊", "乙段"]))
    assert [[piece.kind for piece in line] for line in found] == [["same"], ["added"], ["same"]]


def test_given_carries_no_wording_unless_somebody_wrote_one(app: Flask, case: str) -> None:
    assert Given().wording is None
    made(app, lambda: take(case_of(case), "propose_approval"))
    assert made(app, lambda: [d.edited for d in db.session.query(LetterDraft)]) == [False]
    assert made(app, lambda: len(open_tasks(case_of(case)))) == 1


# --- amounts and facts that change after somebody wrote ---------------------------------------------------


def boxes_with(page: Page, words: str) -> list[str]:
    return [area["name"] for area in page.soup.select('textarea[name^="letter-text"]') if words in area.text]


def proposed_and_recalled(app: Flask, case: str, typed: dict[str, str]) -> Visitor:
    """The officer sends a letter with their own words, takes it back and is about to propose another amount."""
    officer = at_desk(app, case)
    officer.follow(PROPOSE)
    officer.press(EDIT, SUBSIDY)
    [amounts] = boxes_with(officer.page, "2,000")
    officer.press(PROPOSE, {name.replace("AMOUNTS", amounts): text for name, text in typed.items()})
    made(app, lambda: take(case_of(case), "send_back", comment="金額再查"))
    officer.get(f"/staff/cases/{case}")
    officer.follow(PROPOSE)
    return officer


def test_paragraphs_that_nobody_wrote_follow_the_amounts(app: Flask, case: str) -> None:
    officer = proposed_and_recalled(app, case, {"letter-subject": "核准補助，請查照。"})
    officer.press(PROPOSE, {"amount-subsidy": "1500"})
    head = at_desk(app, case, HEAD)
    head.follow(APPROVE)
    assert "1,500" in head.page.soup.select_one("#preview").text
    head.press(APPROVE)
    said = sent(app)
    assert said["subject"] == "核准補助，請查照。"
    assert "1,500" in " ".join(said["paragraphs"]) and "2,000" not in " ".join(said["paragraphs"])


def test_a_paragraph_that_somebody_wrote_is_looked_at_again_when_its_amount_changes(
    app: Flask, case: str
) -> None:
    officer = proposed_and_recalled(app, case, {"AMOUNTS": "補助 2,000 元，分二期撥付。"})
    for button in (PROPOSE, "預覽"):
        officer.get(f"/staff/cases/{case}")
        officer.follow(PROPOSE)
        officer.press(button, {"amount-subsidy": "1500"})
        assert officer.page.status == 422
        [mistake] = officer.page.mistakes
        assert mistake.startswith("公文第 ") and "1,500" in mistake, "named, with what the template says now"
    assert made(app, lambda: case_of(case).state) == "review"
    [name] = boxes_with(officer.page, "分二期撥付")
    officer.press(PROPOSE, {name: "補助 1,500 元，分二期撥付。"})
    assert made(app, lambda: case_of(case).state) == "approve"
    made(app, lambda: take(case_of(case), "approve"))
    assert "補助 1,500 元，分二期撥付。" in sent(app)["paragraphs"]


def test_the_decider_is_told_of_a_reason_that_the_written_words_do_not_bear(app: Flask, case: str) -> None:
    officer = at_desk(app, case)
    officer.follow("擬予駁回，送主管決行")
    officer.press(EDIT, {"comment": "收據不符"})
    [reason] = boxes_with(officer.page, "收據不符")
    officer.press("擬予駁回，送主管決行", {reason: "經查收據不符，且逾期。"})

    def confirm() -> None:
        take(case_of(case), "confirm_rejection", comment="手術證明不符")

    with pytest.raises(Refused, match=r"理由.*手術證明不符"):
        made(app, confirm)
    assert made(app, lambda: db.session.query(Letter).count()) == 0
    head = at_desk(app, case, HEAD)
    head.follow("同意駁回並發文")
    head.press("同意駁回並發文", {"comment": "手術證明不符"})
    assert head.page.status == 422 and "手術證明不符" in head.page.mistakes[0]
    head.press("同意駁回並發文")
    assert "經查收據不符，且逾期。" in sent(app)["paragraphs"], "once looked at, the head's words are law"


def test_a_head_who_goes_back_to_the_template_sends_the_template(app: Flask, case: str) -> None:
    words = Wording("駁回。", (Passage("fact", "甲"), Passage("reason", "乙"), Passage("basis", "丙")))
    made(app, lambda: take(case_of(case), "propose_rejection", comment="收據不符", wording=words))
    head = at_desk(app, case, HEAD)
    head.follow("同意駁回並發文")
    head.press("改回範本的文字")
    assert texts(head.page) == []
    head.press("同意駁回並發文")
    assert "收據不符" in " ".join(sent(app)["paragraphs"]) and sent(app)["subject"] != "駁回。"
