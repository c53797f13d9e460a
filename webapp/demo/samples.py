"""Filled-in applications of invented people, as a browser would post them: for the bench and for tests."""

from __future__ import annotations

import io
from datetime import date

from PIL import Image

Raw = dict[str, list[str]]

APPLICANT: Raw = {
    "applicant_name": ["陳美玲"],
    "applicant_id": ["A123456789"],
    "birth_date-year": ["47"],
    "birth_date-month": ["3"],
    "birth_date-day": ["9"],
    "phone": ["0912-345-678"],
    "email": ["chen.meiling@ecounter.example"],
    "address-township": ["LY"],
    "address-village": ["西口村"],
    "address-detail": ["雙口12號"],
    "filed_by": ["self"],
}
DECLARATION: Raw = {"agree_privacy": ["yes"], "agree_truth": ["yes"]}

#: service code -> the inputs of its form, files left out
SAMPLES: dict[str, Raw] = {
    "EC09": {
        **APPLICANT,
        "pet_name": ["小黑"],
        "species": ["dog"],
        "sex": ["m"],
        "pet_birth-year": ["113"],
        "pet_birth-month": ["5"],
        "pet_birth-day": ["20"],
        "chip_no": ["900123456789012"],
        "clinic": ["金城動物醫院"],
        **{
            f"operation_date-{part}": [value]
            for part, value in (("year", "114"), ("month", "6"), ("day", "2"))
        },
        "amount": ["3500"],
        "bank-bank": ["700"],
        "bank-account": ["00012345678901"],
        "bank-holder": ["陳美玲"],
        **DECLARATION,
    },
    "EC06": {
        **APPLICANT,
        "land_township": ["JS"],
        "parcels-0-section": ["斗門段"],
        "parcels-0-land_no": ["123-1"],
        "parcels-0-area_m2": ["850.5"],
        "parcels-0-share": ["全部"],
        "parcels-1-section": ["斗門段"],
        "parcels-1-land_no": ["124"],
        "parcels-1-area_m2": ["420"],
        "parcels-1-share": ["1/2"],
        "current_crops": ["高粱"],
        "purpose": ["gift_tax"],
        "inspection_contact": ["陳美玲 0912-345-678"],
        **DECLARATION,
    },
    "PW01": {
        "filed_by": ["self"],
        "applicant_type": ["company"],
        "applicant_name": ["永昌營造有限公司"],
        "company_number": ["04595257"],
        "responsible_name": ["林永昌"],
        "contact_name": ["王大明"],
        "phone": ["082-318823#62901"],
        "email": [""],
        "address-township": ["JC"],
        "address-village": ["東門里"],
        "address-detail": ["民生路1號"],
        "purpose": ["water"],
        "emergency": ["no"],
        "road_name": ["環島北路二段"],
        "route-description": ["自環島北路二段100號前起至120號前，沿慢車道"],
        "route-line": ["24.432100,118.317100; 24.433000,118.318000"],
        "length_m": ["85.5"],
        "width_m": ["0.6"],
        "depth_m": ["1.2"],
        **{f"start_date-{part}": [value] for part, value in (("year", "119"), ("month", "1"), ("day", "5"))},
        **{f"end_date-{part}": [value] for part, value in (("year", "119"), ("month", "1"), ("day", "20"))},
        "night_work": ["no"],
        "contractor": ["永昌營造有限公司"],
        "contractor_ubn": ["04595257"],
        "site_manager": ["李志強"],
        **DECLARATION,
    },
}


def picture(seed: int = 0) -> bytes:
    """A small PNG that really opens."""
    buffer = io.BytesIO()
    Image.new("RGB", (64, 48), (40 + seed % 200, 120, 160)).save(buffer, "PNG")
    return buffer.getvalue()


def day(name: str, value: date) -> Raw:
    """The three boxes of a date, in ROC years."""
    return {
        f"{name}-year": [str(value.year - 1911)],
        f"{name}-month": [str(value.month)],
        f"{name}-day": [str(value.day)],
    }
