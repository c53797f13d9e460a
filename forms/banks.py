"""Where accounts are kept: banks, credit cooperatives and the post office, by the code of their head office.

From public lists of 金融機構代碼, not yet held against the register of 金融監督管理委員會銀行局
(https://data.gov.tw/dataset/6041); the English names are usual ones. Credit departments of farmers' and fishers'
associations share codes with each other and are not named here; a code that is not here is taken with a remark.
"""

import re

from forms.field_type import folded
from rules.values import Text

BANKS: dict[str, Text] = {
    code: Text(zh=zh, en=en)
    for code, zh, en in (
        ("700", "中華郵政", "Chunghwa Post"),
        ("004", "臺灣銀行", "Bank of Taiwan"),
        ("005", "臺灣土地銀行", "Land Bank of Taiwan"),
        ("006", "合作金庫商業銀行", "Taiwan Cooperative Bank"),
        ("007", "第一商業銀行", "First Commercial Bank"),
        ("008", "華南商業銀行", "Hua Nan Commercial Bank"),
        ("009", "彰化商業銀行", "Chang Hwa Commercial Bank"),
        ("011", "上海商業儲蓄銀行", "Shanghai Commercial and Savings Bank"),
        ("012", "台北富邦商業銀行", "Taipei Fubon Commercial Bank"),
        ("013", "國泰世華商業銀行", "Cathay United Bank"),
        ("016", "高雄銀行", "Bank of Kaohsiung"),
        ("017", "兆豐國際商業銀行", "Mega International Commercial Bank"),
        ("018", "全國農業金庫", "Agricultural Bank of Taiwan"),
        ("048", "王道商業銀行", "O-Bank"),
        ("050", "臺灣中小企業銀行", "Taiwan Business Bank"),
        ("052", "渣打國際商業銀行", "Standard Chartered Bank (Taiwan)"),
        ("053", "台中商業銀行", "Taichung Commercial Bank"),
        ("054", "京城商業銀行", "King's Town Bank"),
        ("081", "匯豐（台灣）商業銀行", "HSBC Bank (Taiwan)"),
        ("101", "瑞興商業銀行", "Taipei Star Bank"),
        ("102", "華泰商業銀行", "Hwatai Bank"),
        ("103", "臺灣新光商業銀行", "Shin Kong Commercial Bank"),
        ("108", "陽信商業銀行", "Sunny Bank"),
        ("118", "板信商業銀行", "Bank of Panhsin"),
        ("147", "三信商業銀行", "Cota Commercial Bank"),
        ("222", "澎湖縣第一信用合作社", "First Credit Cooperative of Penghu"),
        ("223", "澎湖第二信用合作社", "Second Credit Cooperative of Penghu"),
        ("224", "金門縣信用合作社", "Credit Cooperative of Kinmen"),
        ("803", "聯邦商業銀行", "Union Bank of Taiwan"),
        ("805", "遠東國際商業銀行", "Far Eastern International Bank"),
        ("806", "元大商業銀行", "Yuanta Commercial Bank"),
        ("807", "永豐商業銀行", "Bank SinoPac"),
        ("808", "玉山商業銀行", "E.SUN Commercial Bank"),
        ("809", "凱基商業銀行", "KGI Bank"),
        ("810", "星展（台灣）商業銀行", "DBS Bank (Taiwan)"),
        ("812", "台新國際商業銀行", "Taishin International Bank"),
        ("816", "安泰商業銀行", "EnTie Commercial Bank"),
        ("822", "中國信託商業銀行", "CTBC Bank"),
        ("824", "連線商業銀行", "LINE Bank"),
        ("826", "樂天國際商業銀行", "Rakuten International Commercial Bank"),
    )
}
#: what people call them where it is not a shorter writing of the name
_CALLED = {
    "郵局": "700",
    "臺銀": "004",
    "土銀": "005",
    "土地銀行": "005",
    "合庫": "006",
    "一銀": "007",
    "彰銀": "009",
    "臺灣企銀": "050",
    "臺企銀": "050",
    "國泰": "013",
    "國泰世華": "013",
    "新光銀行": "103",
    "中信銀行": "822",
    "linebank": "824",
}


def _plain(name: str) -> str:
    return folded(name).casefold().replace("台", "臺")


def _shorter(name: str) -> set[str]:
    """合作金庫商業銀行 is also written 合作金庫銀行 and 合作金庫."""
    plain = _plain(name)
    stem = re.sub(r"\(臺灣\)|(國際)?商業銀行$", "", plain)
    return {plain, stem, f"{stem}銀行", plain.replace("商業銀行", "銀行")}


_CODES = _CALLED | {
    short: code
    for code, name in BANKS.items()
    for text in (name.zh, name.in_("en"))
    for short in _shorter(text)
}


def name_of(code: str) -> Text | None:
    """By the code of a head office, or of a branch."""
    return BANKS.get(code[:3])


def as_code(text: str) -> str:
    """The code in what was typed: a code, a name, or both (700 郵局); two that differ stay as they are."""
    plain = _plain(text)
    digits, name = (
        plain[: len(plain) - len(plain.lstrip("0123456789"))],
        plain.lstrip("0123456789").lstrip("-"),
    )
    named = _CODES.get(name)
    if not named or (digits and digits[:3] != named):
        return text
    return digits or named
