"""The receipt, the letter and the application, as their readers get them."""

import re
from dataclasses import replace
from io import BytesIO
from random import Random

import pypdf
import pytest
from PIL import Image, ImageChops

from tests.integration.letters.samples import (
    APPLICATION,
    DECISION,
    RECEIPT,
    chinese,
    copied,
    pages,
)
from webapp.letters.contents import Attachment, Grid, Row, Section
from webapp.letters.documents import application, decision, receipt
from webapp.letters.pdf import MissingGlyphs
from webapp.letters.qr import qr_png
from webapp.letters.seal import seal_png
from webapp.letters.stamp import stamped


def printed(text):
    return "".join(text.split())


def pictures(pdf):
    return [
        Image.open(BytesIO(image.data)).convert("RGB")
        for image in pypdf.PdfReader(BytesIO(pdf)).pages[0].images
    ]


def shows(pdf, png):
    wanted = Image.open(BytesIO(png)).convert("RGB")
    return any(
        picture.size == wanted.size and not ImageChops.difference(picture, wanted).getbbox()
        for picture in pictures(pdf)
    )


def with_section(*rows):
    return replace(APPLICATION, sections=(*APPLICATION.sections, Section("補充", rows)))


# --- receipt ---------------------------------------------------------------------------------------------


def test_a_receipt_is_one_page_that_says_all():
    pdf = receipt(RECEIPT)
    assert len(pages(pdf)) == 1
    text = copied(pdf)
    for words in [
        "送件收據", "EC06-115-000123", "農業用地作農業使用證明書", "王𡍼堃", "7KQ2-M9XD",
        "建設處農林科", "20個工作天", "中華民國115年11月22日14時05分（網路申辦）",
        "中華民國115年12月21日", "115.11.22網路申辦收件", "林小姐", "(082)318-823",
        "■土地登記謄本謄本.pdf", "□委託書未附本人申請免附", "新臺幣500元", "新臺幣600元", "另行通知",
        "合計新臺幣1,100元", "一、本收據為受理申請之證明。", "二、處理期限",
        "列印時間：中華民國115年11月22日14時06分", "第1頁，共1頁",
    ]:  # fmt: skip
        assert printed(words) in text
    assert shows(pdf, qr_png(RECEIPT.track_url))


def test_a_receipt_of_the_least():
    bare = replace(
        RECEIPT, track_code="", period="", due_on=None, attachments=(), fees=(), notes=(), agent="張三"
    )
    text = copied(receipt(bare))
    assert "代理人張三" in text
    assert "規費" not in text
    assert "附件" not in text


def test_what_a_citizen_typed_never_stops_a_receipt():
    text = copied(receipt(replace(RECEIPT, attachments=(Attachment("照片", "我家😀.jpg"),))))
    assert "我家〓.jpg" in text
    assert "〓為無法列印之字元（U+1F600）" in text


# --- decision --------------------------------------------------------------------------------------------


def test_a_letter_states_what_the_law_demands():
    """行政程序法 96 I, with the marks of an official letter."""
    pdf = decision(DECISION)
    text = copied(pdf)
    for words in [
        "受文者：王𡍼堃君", "發文日期：中華民國115年12月18日", "發文字號：府建農字第1150000123號",
        "速別：普通件", "主旨：臺端申請", "說明：一、復臺端115年11月22日申請書。二、本府",
        "三、依農業用地", "附款：一、土地如有變更使用", "救濟教示：如不服本處分", "30日內",
        "行政院農業部提起訴願", "正本：王𡍼堃君", "副本：金湖鎮公所、地政局", "縣長陳大文",
        "（機關印信）", "EC06-115-000123", DECISION.verify_url, "9f2c41d70b8e55aa",
    ]:  # fmt: skip
        assert printed(words) in text
    assert shows(pdf, qr_png(DECISION.verify_url))
    assert shows(pdf, seal_png("金門縣政府印"))


@pytest.mark.parametrize(
    ("absent", "named"),
    [
        ({"recipient": ""}, "處分相對人"),
        ({"subject": ""}, "主旨"),
        ({"points": ()}, "理由"),
        ({"points": ("有理", "  ")}, "理由"),
        ({"agency_name": ""}, "處分機關"),
        ({"doc_number": ""}, "發文字號"),
        ({"remedy": ""}, "救濟教示"),
    ],
)
def test_a_disposition_without_it_is_no_disposition(absent, named):
    with pytest.raises(ValueError, match=named):
        replace(DECISION, **absent)


def test_a_notice_needs_no_remedy():
    text = copied(decision(replace(DECISION, remedy="", conditions=(), disposition=False)))
    assert "救濟教示" not in text
    assert "附款" not in text


def test_who_signs():
    acted = copied(decision(replace(DECISION, deputy="建設處處長 李四 決行")))
    assert "縣長陳大文建設處處長李四決行" in acted
    automatic = replace(DECISION, head_title="", head_name="")
    assert "縣長" not in copied(decision(automatic))
    assert shows(decision(automatic), seal_png("金門縣政府印"))


def test_many_and_long_points_are_numbered_over_pages():
    random = Random(1)
    texts = tuple(chinese(random, 700) for _ in range(12))
    pdf = decision(replace(DECISION, points=texts))
    text = copied(pdf)
    assert f"十二、{printed(texts[-1])[:20]}" in text
    assert len(pages(pdf)) > 4
    assert f"第{len(pages(pdf))}頁，共{len(pages(pdf))}頁" in printed(pages(pdf)[-1])


def test_a_letter_with_a_character_that_cannot_be_printed_is_refused():
    with pytest.raises(MissingGlyphs, match=r"U\+1F600"):
        decision(replace(DECISION, subject="核准😀"))


def test_a_name_that_cannot_be_printed_stops_no_letter():
    text = copied(decision(replace(DECISION, recipient="王😀明", originals=("王😀明",))))
    assert "受文者：王〓明" in text and "正本：王〓明" in text and "U+1F600" in text


# --- application -----------------------------------------------------------------------------------------


def test_an_application_is_the_filled_form():
    pdf = application(APPLICATION)
    text = copied(pdf)
    for words in [
        "收件編號：EC06-115-000123", "一、申請人資料", "姓名王𡍼堃", "W123456789", "■本人□代理人",
        "電話0912-345-678", "電子郵件wang.zhekun.long-mailbox@mail.k12.example.gov.tw", "二、土地資料",
        "土地清冊", "地段地號", "金湖鎮料羅段0124-0001", "現況作物高粱", "設施—", "三、應附文件",
        "■土地登記謄本", "□委託書", "■聲明", "EC06表單farm_use_certificate第2版", "申請人：王𡍼堃（簽名或蓋章）", "承辦人",
        "機關首長", "列印時間：", "第1頁，共1頁",
    ]:  # fmt: skip
        assert printed(words) in text
    assert shows(pdf, qr_png(APPLICATION.track_url))


def test_a_long_application_flows_over_pages_and_repeats_its_headings():
    random = Random(2)
    parcels = Grid(
        "清冊",
        ("地段", "地號", "說明"),
        tuple((f"第{i}段", f"{i:04}", chinese(random, 60)) for i in range(80)),
    )
    pdf = application(with_section(parcels))
    sheets = [printed(sheet) for sheet in pages(pdf)]
    assert len(sheets) > 3
    assert all("三、補充清冊地段地號說明" in sheet for sheet in sheets[1:-1])
    assert all(f"第{n}頁，共{len(sheets)}頁" in sheet for n, sheet in enumerate(sheets, 1))
    text = "".join(sheets)
    assert all(f"第{i}段" in text for i in range(80))


@pytest.mark.parametrize("count", [120, pytest.param(1_000, marks=pytest.mark.full)])
def test_a_table_of_many_rows_is_printed_whole(count):
    many = Grid("名冊", ("姓名", "地號"), tuple((f"王𡍼堃{n}號", f"{n:04}") for n in range(count)))
    text = copied(application(with_section(many)))
    assert [n for n in range(count) if f"王𡍼堃{n}號" not in text] == []
    assert text.count("名冊（續）") >= (count - 1) // 100


@pytest.mark.parametrize("length", [450, 1_500, 10_000])
def test_a_long_answer_is_printed_whole(length):
    answer = chinese(Random(length), length)
    text = copied(application(with_section(Row("說明", answer))))
    footer = printed(APPLICATION.edition) + r"案件編號：EC06-115-000123列印時間：.{1,30}第\d+頁，共\d+頁"
    assert printed(answer) in re.sub(footer, "", text)


def test_a_table_cell_higher_than_a_page_is_cut_not_refused():
    answer = chinese(Random(3), 8_000)
    pdf = application(with_section(Grid("清冊", ("號", "說明"), (("1", "短"), ("2", answer), ("3", "末尾")))))
    assert len(pages(pdf)) > 3
    assert "末尾" in copied(pdf)


@pytest.mark.parametrize(
    "answer", ["x" * 10_000, "。" * 2_000, "\n" * 300, "　" * 500, "甲 " * 3_000, "（" * 900]
)
def test_odd_answers_do_not_stop_the_form(answer):
    assert "補充" in copied(application(with_section(Row("說明", answer), Row("末", "到此為止"))))


@pytest.mark.parametrize(
    "hostile",
    [
        '<img src="file:///etc/passwd">',
        "</td></tr></table><script>alert(1)</script>",
        "<pdf:insertpdf src='/etc/passwd'/>",
        "&lt;b&gt; &amp; &#128512; {{ 7*7 }} {% raw %}",
        "</style><style>*{display:none}</style>",
        "<!-- <?xml ]]>",
    ],
)
def test_markup_in_answers_is_only_text(hostile):
    document = replace(
        with_section(
            Row(hostile, hostile), Row("選", "短"), Grid(hostile, (hostile, "乙"), ((hostile, hostile),))
        ),
        applicant=hostile,
        title=hostile,
    )
    assert copied(application(document)).count(printed(hostile)) >= 6
    assert printed(hostile) in copied(decision(replace(DECISION, points=(hostile,), copies=(hostile,))))
    assert printed(hostile) in copied(receipt(replace(RECEIPT, applicant=hostile)))


def test_an_emoji_in_an_answer_prints_as_geta_and_is_named():
    text = copied(application(with_section(Row("說明", "謝謝😀❤\ufe0f"))))
    assert "謝謝〓〓" in text
    assert "（U+2764、U+1F600）" in text


@pytest.mark.parametrize("more", range(6, 11))
def test_seal_caption_and_code_stay_on_one_page(more):
    points = (*DECISION.points, *(f"第{number}項說明。" for number in range(more)))
    pdf = decision(replace(DECISION, points=points, deputy="建設處處長 李四 決行"))
    sheets = pypdf.PdfReader(BytesIO(pdf)).pages
    texts = [printed(sheet.extract_text()) for sheet in sheets]
    found = [
        [n for n, text in enumerate(texts) if words in text]
        for words in ("（機關印信）", "驗證碼", "李四決行")
    ]
    pictured = [n for n, sheet in enumerate(sheets) for _picture in sheet.images]
    assert found == [[len(sheets) - 1]] * 3 and pictured == [len(sheets) - 1] * 2


def test_a_stamped_copy_says_what_became_of_it_on_every_page():
    points = (*DECISION.points, *(f"第{number}項說明。" for number in range(30)))
    pdf = decision(replace(DECISION, points=points))
    marked = stamped(
        pdf, ["早", "本函已更正：民國115年1月2日 府字第1號", "本函已廢止：民國115年3月4日 府字第2號"]
    )
    before, after = pages(pdf), pages(marked)
    assert len(before) == len(after) > 1
    for text in map(printed, after):
        assert (
            "本函已更正：民國115年1月2日府字第1號" in text and "本函已廢止：民國115年3月4日府字第2號" in text
        )
    assert all("本函已" not in text for text in before)
