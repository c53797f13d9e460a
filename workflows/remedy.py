"""Until when somebody may appeal (訴願) against a decision: thirty days from the day after it was served.

訴願法 14 I, 16; 訴願扣除在途期間辦法 2-5; 民法 122 (by 訴願法 17): a last day on a rest day moves to the next working day.
行政程序法 81: a letter that is served by public notice takes effect twenty days after it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType

from rules.values import Text
from workflows.calendar import WorkingCalendar

APPEAL_DAYS = 30
PUBLIC_NOTICE_DAYS = 20


@dataclass(frozen=True)
class Place:
    """Where the addressee lives, and the days in transit that are not counted."""

    label: Text
    days: int


#: 在途期間, seen from Kinmen
TRANSIT: Mapping[str, Place] = MappingProxyType(
    {
        "kinmen": Place(Text(zh="金門縣（烏坵鄉除外）", en="Kinmen, without Wuqiu"), 0),
        "wuqiu": Place(Text(zh="烏坵鄉", en="Wuqiu Township"), 30),
        "taiwan": Place(Text(zh="其他縣市", en="Another county or city"), 30),
        "mainland": Place(Text(zh="大陸地區、香港、澳門", en="Mainland China, Hong Kong, Macau"), 37),
        "asia": Place(Text(zh="亞洲其他地區", en="Elsewhere in Asia"), 37),
        "overseas": Place(Text(zh="澳洲、美洲、歐洲", en="Australia, the Americas, Europe"), 44),
        "africa": Place(Text(zh="非洲", en="Africa"), 72),
    }
)


def appeal_until(served_on: date, place: str, calendar: WorkingCalendar) -> date:
    """The last day on which an appeal is in time."""
    return calendar.next_working_day(served_on + timedelta(days=APPEAL_DAYS + TRANSIT[place].days))


def served_by_notice(posted_on: date) -> date:
    """The day on which a public notice takes effect."""
    return posted_on + timedelta(days=PUBLIC_NOTICE_DAYS)
