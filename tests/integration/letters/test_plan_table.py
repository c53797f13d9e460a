"""A list of plan control on several pages: heads again, groups written once, nothing lost."""

from __future__ import annotations

from io import BytesIO

from pypdf import PdfReader

from webapp.letters import documents
from webapp.letters.contents import Column, PlanTable

COLUMNS = (
    Column("項次", 15),
    Column("專案", 40),
    Column("案號", 20),
    Column("工作項目", 150),
    Column("預計%", 32, numeric=True),
)


def table(rows: int, group: int) -> PlanTable:
    return PlanTable(
        agency_name="金門縣政府",
        title="彙整表",
        subtitle="109年第3季",
        columns=COLUMNS,
        rows=tuple(
            (str(n // group + 1), f"專案{n // group + 1}", str(n + 1), f"工作項目第{n + 1}號" * 3, "12.5")
            for n in range(rows)
        ),
        grouped=2,
        remarks=("共計。",),
        state="尚未結算。",
    )


def test_seventy_rows_in_groups_of_thirty() -> None:
    pages = [page.extract_text() for page in PdfReader(BytesIO(documents.plan_table(table(70, 30)))).pages]
    assert len(pages) > 2
    assert all("工作項目" in page and "預計%" in page for page in pages)
    whole = "".join(pages).replace("\n", "")
    assert all(f"工作項目第{n}號" in whole for n in range(1, 71))
    assert [whole.count(f"專案{n}") for n in (1, 2, 3)] == [1, 1, 1]
    assert f"共 {len(pages)} 頁" in whole


def test_a_group_is_told_by_all_columns_before() -> None:
    made = table(4, 2)
    assert [[made.repeats(row, column) for column in range(3)] for row in range(4)] == [
        [False, False, False],
        [True, True, False],
        [False, False, False],
        [True, True, False],
    ]


def test_an_empty_list_and_a_character_that_no_typeface_has() -> None:
    text = PdfReader(BytesIO(documents.plan_table(table(0, 1)))).pages[0].extract_text()
    assert "尚未結算" in text
    odd = PlanTable(**{**vars(table(1, 1)), "subtitle": "😀"})
    assert "U+1F600" in PdfReader(BytesIO(documents.plan_table(odd))).pages[0].extract_text()
