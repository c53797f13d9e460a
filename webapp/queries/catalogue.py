"""Services for the public: by everyday group, and found by everyday words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from forms.places import TOWNSHIPS
from rules.values import Text
from webapp.queries import definitions, everyday
from webapp.queries.characters import folded
from workflows.service import GROUPS, ServiceDefinition

LONGEST_QUESTION = 100
#: what neighbours call a township besides its name
NICKNAMES = {"LY": ("小金門", "Little Kinmen")}


@dataclass(frozen=True)
class Office:
    """One of several townships that offer the same."""

    township: Text
    service: ServiceDefinition


@dataclass(frozen=True)
class Hit:
    """A service; or, where `offices` says so, one that several townships offer and that asks for the township."""

    service: ServiceDefinition
    title: Text
    summary: Text
    offices: tuple[Office, ...] = ()


@dataclass(frozen=True)
class Group:
    title: Text
    hits: tuple[Hit, ...]


@dataclass(frozen=True)
class Answer:
    """What was found, the best first; `guesses` are what may have been meant where nothing was."""

    hits: tuple[Hit, ...] = ()
    guesses: tuple[Hit, ...] = ()

    @property
    def services(self) -> list[ServiceDefinition]:
        """Each service by itself, for whoever knows the townships."""
        return [s for hit in self.hits for s in ([o.service for o in hit.offices] or [hit.service])]


def groups(on: date) -> list[Group]:
    """All services by everyday group; a group without a service is left out."""
    services = definitions.current_services(on)
    found = [Group(title, merged(s for s in services if s.group == key)) for key, title in GROUPS.items()]
    return [group for group in found if group.hits]


def search(question: str, on: date) -> Answer:
    """The services that a question in everyday words names. A township that it names answers first, and alone
    where others offer the same."""
    services = {service.code: service for service in definitions.current_services(on)}
    sentence, towns = _without_townships(folded(question[:LONGEST_QUESTION]))
    index = everyday.index_of(tuple(map(_entry, services.values())))
    if towns and not index.asks(sentence):
        return Answer(merged(service for service in services.values() if service.owner in towns))
    found = index.search(sentence)
    hits = merged((services[code] for code in found.codes), towns)
    guesses = merged((services[code] for code in found.guesses), towns)
    return Answer(tuple(sorted(hits, key=lambda hit: hit.service.owner not in towns)), guesses)


def alternatives(service: ServiceDefinition, on: date) -> tuple[Hit, ...]:
    """The other services of the same everyday group."""
    return merged(
        other
        for other in definitions.current_services(on)
        if other.group == service.group and other.code != service.code
    )


def merged(services: Iterable[ServiceDefinition], towns: Iterable[str] = ()) -> tuple[Hit, ...]:
    """The services in their order; those that several townships offer on the same form are one, where the first
    of them stands. Of a township that was named, its own service is enough."""
    families: dict[tuple[str, str], list[ServiceDefinition]] = {}
    for service in services:
        alone = "" if service.owner in TOWNSHIPS else service.code
        families.setdefault((service.form, alone), []).append(service)
    hits: list[Hit] = []
    for family in families.values():
        own = [service for service in family if service.owner in towns]
        if own or len(family) == 1:
            hits += [Hit(service, service.title, service.summary) for service in own or family]
        else:
            hits.append(_shared(family))
    return tuple(hits)


def _shared(family: list[ServiceDefinition]) -> Hit:
    first, town = family[0], TOWNSHIPS[family[0].owner]
    title = Text(
        zh=first.title.zh.replace(town.zh, ""),
        en=first.title.in_("en").replace(f", {town.en} Office", "").replace(f", {town.en}", ""),
    )
    summary = Text(
        zh=first.summary.zh.replace(town.zh, "各鄉鎮"),
        en=first.summary.in_("en").replace(town.en, "your township"),
    )
    offices = tuple(
        Office(name, service)
        for code, name in TOWNSHIPS.items()
        for service in family
        if service.owner == code
    )
    return Hit(first, title, summary, offices)


def _without_townships(sentence: str) -> tuple[str, frozenset[str]]:
    towns = set()
    for code, town in TOWNSHIPS.items():
        short = (town.zh[:-1], town.en.removesuffix(" Township"))
        for name in (f"{town.zh}公所", town.zh, town.en, *NICKNAMES.get(code, ()), *short):
            if folded(name) in sentence:
                towns.add(code)
                sentence = sentence.replace(folded(name), " ")
    return sentence, frozenset(towns)


def _entry(service: ServiceDefinition) -> everyday.Entry:
    shared = service.owner in TOWNSHIPS
    return everyday.Entry(
        code=service.code,
        family=service.form if shared else service.code,
        titles=_both(service.title),
        names=service.synonyms,
        summaries=_both(service.summary),
        groups=_both(GROUPS[service.group]),
    )


def _both(text: Text) -> tuple[str, ...]:
    return text.zh, text.en or ""
