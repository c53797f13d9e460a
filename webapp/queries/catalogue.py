"""Services for the public: by everyday group, and found by everyday words."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date

from rules.values import Text
from webapp.queries import definitions
from workflows.service import GROUPS, ServiceDefinition

#: what people write around the thing they look for
FILLERS = re.compile(
    "我想要|我想|我要|想要|請問|可以|如何|怎麼|怎樣|哪裡|申請|申辦|辦理|要辦|什麼|嗎|呢|的|了"
    r"|\b(?:how|to|do|i|a|an|the|for|my|apply|application|get|where|want)\b"
)
LONGEST_QUESTION = 100
SHORTEST_NAME = 2


@dataclass(frozen=True)
class Group:
    title: Text
    services: tuple[ServiceDefinition, ...]


def groups(on: date) -> list[Group]:
    """All services by everyday group; a group without a service is left out."""
    services = definitions.current_services(on)
    found = [Group(title, tuple(s for s in services if s.group == key)) for key, title in GROUPS.items()]
    return [group for group in found if group.services]


def search(question: str, on: date) -> list[ServiceDefinition]:
    """The services that a question in everyday words names, the best first. Nothing found is an empty list."""
    sentence = folded(question[:LONGEST_QUESTION])
    words = _words(FILLERS.sub(" ", sentence)) or [w for w in _words(sentence) if len(w) >= SHORTEST_NAME]
    scored = [(_score(service, words, sentence), service) for service in definitions.current_services(on)]
    found = sorted((pair for pair in scored if pair[0]), key=lambda pair: -pair[0])
    return [service for _, service in found]


def alternatives(service: ServiceDefinition, on: date) -> list[ServiceDefinition]:
    """The other services of the same everyday group."""
    return [
        other
        for other in definitions.current_services(on)
        if other.group == service.group and other.code != service.code
    ]


def folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"[\W_]+", text) if word]


def _score(service: ServiceDefinition, words: list[str], sentence: str) -> int:
    """Every word must stand somewhere; or the sentence as a whole names the service by one of its names."""
    title = _both(service.title)
    synonyms = [folded(name) for name in service.synonyms]
    places = (
        (8, title),
        (6, " ".join(synonyms)),
        (6, folded(service.code)),
        (3, _both(service.summary)),
        (1, _both(GROUPS[service.group])),
    )
    hits = [max((weight for weight, place in places if _stands(word, place)), default=0) for word in words]
    by_words = sum(hits) if words and all(hits) else 0
    named = [name for name in synonyms if len(name) >= SHORTEST_NAME and _stands(name, sentence, whole=True)]
    return max(by_words, 4 * len(named))


def _stands(words: str, text: str, *, whole: bool = False) -> bool:
    """English words begin where a word begins, and a name ends with one: a passport is no port and no pass."""
    if not words.isascii():
        return words in text
    return re.search(rf"\b{re.escape(words)}" + (r"\b" if whole else ""), text) is not None


def _both(text: Text) -> str:
    return folded(f"{text.zh} {text.en or ''}")
