"""The functions (職務) that a workflow may name. The org chart says who holds them in which unit."""

from collections.abc import Mapping
from types import MappingProxyType

from rules.values import Text

FUNCTION_LABELS: Mapping[str, Text] = MappingProxyType(
    {
        "counter_clerk": Text(zh="櫃檯人員", en="Counter clerk"),
        "officer": Text(zh="承辦人", en="Case officer"),
        "co_reviewer": Text(zh="會辦人員", en="Co-reviewer"),
        "inspector": Text(zh="勘查人員", en="Inspector"),
        "section_head": Text(zh="科長", en="Section head"),
        "department_head": Text(zh="處長／局長", en="Department head"),
        "secretary_general": Text(zh="秘書長", en="Secretary general"),
        "cashier": Text(zh="出納", en="Cashier"),
        "magistrate": Text(zh="縣長", en="Magistrate"),
        "research_office": Text(zh="研考人員", en="Plan-control office"),
        "operator": Text(zh="話務及登錄人員", en="Operator"),
        "committee_secretary": Text(zh="委員會幹事", en="Committee secretary"),
        "committee_member": Text(zh="委員", en="Committee member"),
        "legal_officer": Text(zh="法制人員", en="Legal officer"),
        "original_agency": Text(zh="原處分機關答辯人員", en="Original agency"),
        "township_officer": Text(zh="公所承辦人", en="Township officer"),
        "township_head": Text(zh="鄉鎮長", en="Township head"),
    }
)

FUNCTIONS: frozenset[str] = frozenset(FUNCTION_LABELS)

#: who heads whom: a higher number may give work of a lower one to somebody else
RANKS: Mapping[str, int] = MappingProxyType(
    {"section_head": 1, "department_head": 2, "secretary_general": 3, "magistrate": 4}
)
