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
        "magistrate": Text(zh="縣長", en="Magistrate"),
        "mail_room": Text(zh="收發人員", en="Mail room"),
        "research_office": Text(zh="研考人員", en="Plan-control office"),
    }
)

FUNCTIONS: frozenset[str] = frozenset(FUNCTION_LABELS)
