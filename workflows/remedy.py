"""Until when somebody may appeal (訴願) against a decision: thirty days from the day after it was served.

訴願法 14 I, 16; 訴願扣除在途期間辦法 2-5; 民法 122 (by 訴願法 17): a last day on a rest day moves to the next working day.
Days in transit count from where the authority that hears the appeal has its seat (訴願法 16 I), not from where the
decision was made. An agent who lives there may act in time (16 I, last clause); that is for the authority to see.
行政程序法 81: when a letter that is served by public notice takes effect.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType

from rules.values import Text
from workflows.calendar import WorkingCalendar

APPEAL_DAYS = 30


# --- where the appeal is heard, and where the addressee lives ----------------------------------------------

#: the seat of each authority that a notice of remedies may name
SEATS: Mapping[str, str] = MappingProxyType(
    {"金門縣政府": "kinmen"}
    | dict.fromkeys(
        (
            "行政院", "內政部", "外交部", "國防部", "財政部", "教育部", "法務部", "經濟部", "交通部", "勞動部", "農業部",
            "衛生福利部", "環境部", "數位發展部", "運動部", "國家發展委員會", "大陸委員會", "僑務委員會",
        ),
        "taipei",
    )
    | dict.fromkeys(("文化部", "原住民族委員會", "客家委員會"), "new_taipei")
)  # fmt: skip


def seat_of(remedy: str) -> str | None:
    """The seat of the authority that a notice of remedies names: the one named last, after the office itself."""
    named = {name: remedy.rfind(name) for name in SEATS if name in remedy}
    return SEATS[max(named, key=lambda name: (named[name], len(name)))] if named else None


@dataclass(frozen=True)
class Place:
    """Where an addressee lives, and the days in transit from there to each seat."""

    label: Text
    kinmen: int
    taipei: int
    new_taipei: int
    #: what an address there contains
    names: tuple[str, ...] = ()

    def days(self, seat: str) -> int:
        return {"kinmen": self.kinmen, "taipei": self.taipei, "new_taipei": self.new_taipei}[seat]


def _county(zh: str, en: str, taipei: int, new_taipei: int, *names: str) -> Place:
    return Place(Text(zh=zh, en=en), 30, taipei, new_taipei, names or (zh,))


#: the districts of the former Kaohsiung City, which the table tells from those of the former county
_OLD_KAOHSIUNG = tuple(
    f"高雄市{name}區"
    for name in ("鹽埕", "鼓山", "左營", "楠梓", "三民", "新興", "前金", "苓雅", "前鎮", "旗津", "小港")
)
#: 在途期間
TRANSIT: Mapping[str, Place] = MappingProxyType(
    {
        "wuqiu": Place(Text(zh="金門縣烏坵鄉", en="Wuqiu Township"), 30, 30, 30, ("金門縣烏坵", "烏坵")),
        "kinmen": Place(
            Text(zh="金門縣（烏坵鄉除外）", en="Kinmen, without Wuqiu"), 0, 30, 30,
            ("金門縣", "金城鎮", "金湖鎮", "金沙鎮", "金寧鄉", "烈嶼鄉"),
        ),
        "taipei": _county("臺北市", "Taipei City", 0, 2),
        "new_taipei": _county("新北市", "New Taipei City", 2, 0),
        "keelung": _county("基隆市", "Keelung City", 2, 2),
        "taoyuan": _county("桃園市", "Taoyuan City", 3, 3),
        "hsinchu": _county("新竹縣、新竹市", "Hsinchu", 4, 4, "新竹縣", "新竹市"),
        "miaoli": _county("苗栗縣", "Miaoli County", 4, 4),
        "taichung": _county("臺中市", "Taichung City", 4, 5),
        "changhua": _county("彰化縣", "Changhua County", 5, 4),
        "nantou": _county("南投縣", "Nantou County", 4, 5),
        "yunlin": _county("雲林縣", "Yunlin County", 5, 4),
        "chiayi": _county("嘉義縣、嘉義市", "Chiayi", 5, 4, "嘉義縣", "嘉義市"),
        "tainan": _county("臺南市", "Tainan City", 5, 4),
        "kaohsiung": _county("高雄市（原高雄市各區）", "Kaohsiung City, old city", 5, 6, *_OLD_KAOHSIUNG),
        "kaohsiung2": _county("高雄市（原高雄縣各區）", "Kaohsiung City, old county", 6, 6, "高雄市"),
        "pingtung": _county("屏東縣", "Pingtung County", 6, 6),
        "yilan": _county("宜蘭縣", "Yilan County", 4, 4),
        "hualien": _county("花蓮縣", "Hualien County", 6, 5),
        "taitung": _county("臺東縣", "Taitung County", 7, 6),
        "penghu": Place(Text(zh="澎湖縣", en="Penghu County"), 30, 20, 20, ("澎湖縣",)),
        "matsu": Place(Text(zh="連江縣", en="Lienchiang County (Matsu)"), 30, 30, 30, ("連江縣",)),
        "mainland": Place(
            Text(zh="大陸地區、香港、澳門", en="Mainland China, Hong Kong, Macau"), 37, 37, 37,
            ("大陸地區", "香港", "澳門"),
        ),
        "asia": Place(Text(zh="亞洲其他地區", en="Elsewhere in Asia"), 37, 37, 37),
        "overseas": Place(Text(zh="澳洲、美洲、歐洲", en="Australia, the Americas, Europe"), 44, 44, 44),
        "africa": Place(Text(zh="非洲", en="Africa"), 72, 72, 72),
    }
)  # fmt: skip


def place_of(address: str, seat: str) -> str:
    """Where an address lies. One without a county counts as the seat itself: rather a day too early than too late."""
    plain = "".join(address.split()).replace("台", "臺")
    found = {
        place: min(at)
        for place, known in TRANSIT.items()
        if (at := [plain.find(name) for name in known.names if name in plain])
    }
    return min(found, key=lambda place: found[place]) if found else seat


def appeal_until(served_on: date, place: str, seat: str, calendar: WorkingCalendar) -> date:
    """The last day on which an appeal is in time."""
    return calendar.next_working_day(served_on + timedelta(days=APPEAL_DAYS + TRANSIT[place].days(seat)))


# --- public notice ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ground:
    """Why a letter is served by public notice, and after how many days it takes effect (行政程序法 81)."""

    label: Text
    days: int


GROUNDS: Mapping[str, Ground] = MappingProxyType(
    {
        "unknown": Ground(
            Text(
                zh="應為送達之處所不明，或其他事由（第78條第1項第1款、第2款）：二十日",
                en="Address unknown, or another ground (Art. 78 I 1, 2): twenty days",
            ),
            20,
        ),
        "abroad": Ground(
            Text(
                zh="於外國或境外為送達而不能或無效（第78條第1項第3款）：六十日",
                en="Service abroad impossible or without effect (Art. 78 I 3): sixty days",
            ),
            60,
        ),
        "again": Ground(
            Text(
                zh="同一當事人依職權再為公示送達（第79條）：公告之翌日",
                en="Repeated for the same party (Art. 79): the next day",
            ),
            1,
        ),
    }
)


def served_by_notice(posted_on: date, ground: str) -> date:
    """The day on which a public notice takes effect."""
    return posted_on + timedelta(days=GROUNDS[ground].days)
