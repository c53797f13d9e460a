"""Fragments: states and actions that workflows share, put in place before a definition is stored.

A definition says what it takes over and where that goes; what it says itself wins:

    include:
      decision: {desk: [review, redraft]}
      correction: {desk: review, without: [lapse]}

`$desk` in a fragment stands for the state so named. Of several states the first is where the fragment leads to,
and each gets the actions that the fragment gives to `$desk`. `without` leaves actions or states out.

A stage (fee, inspection, committee, booking, township, dispatch) is a side trip from the officer's desk and back.
Its fragment lists under `stages` the actions that complete it. It is open to a service that names it in its
parameter `stages`, whatever the pattern, and nothing is granted while `case.stages_left` names one.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from rules.conditions import did_you_mean, shown
from rules.values import DefinitionError, Problem, Text, say
from workflows.reading import no_mapping

#: the parts of a definition that a fragment adds to, besides its states
PARTS = ("parameters", "everywhere", "stages")

Places = Mapping[str, Any]

_WHICH_STATE = Text(zh="必須寫明是哪一個狀態", en="Say which state it is")


def expand(data: Mapping[str, Any], fragments: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The definition with its fragments in place, or DefinitionError with every mistake of its `include`."""
    includes = data.get("include", {})
    if problems := list(_mistakes(includes, fragments)):
        raise DefinitionError(problems)
    whole = {key: part for key, part in data.items() if key != "include"}
    for name, given in includes.items():
        fragment = fragments[name]
        for part in PARTS:
            if part in fragment:
                whole[part] = {**fragment[part], **whole.get(part, {})}
        places = {**fragment.get("places", {}), **given}
        places = {name: _placed(place, places) for name, place in places.items()}
        whole["states"] = _joined(whole.get("states", {}), fragment["states"], places)
    return whole


def _joined(own: Mapping[str, Any], shared: Mapping[str, Any], places: Places) -> dict[str, Any]:
    """The states of both. One of both has the actions of both; of what both say, that of the definition holds."""
    states, left_out = dict(own), places.get("without", ())
    for key, state in shared.items():
        if key in left_out:
            continue
        placed = _placed(state, places)
        for target in _states_at(key, places):
            mine = states.get(target, {})
            actions = dict(mine.get("transitions", {}))
            for name, action in placed.get("transitions", {}).items():
                if name not in left_out:
                    actions[name] = {**action, **actions.get(name, {})}
            merged = {**placed, **mine, "transitions": actions}
            states[target] = {part: value for part, value in merged.items() if value != {}}
    return states


def _states_at(name: str, places: Places) -> list[str]:
    if not name.startswith("$"):
        return [name]
    states = places[name[1:]]
    return list(states) if isinstance(states, list | tuple) else [states]


def _placed(part: Any, places: Places) -> Any:
    """A copy with the state in place of each $name."""
    if isinstance(part, Mapping):
        return {key: _placed(value, places) for key, value in part.items()}
    if isinstance(part, list | tuple):
        return [_placed(value, places) for value in part]
    return _states_at(part, places)[0] if isinstance(part, str) and part.startswith("$") else part


def _mistakes(includes: object, fragments: Mapping[str, Mapping[str, Any]]) -> Iterator[Problem]:
    if not isinstance(includes, Mapping):
        yield no_mapping("include", includes)
        return
    for name, given in includes.items():
        path = f"include.{name}"
        if name not in fragments:
            message = say(
                "沒有「{name}」這個共用片段{hint}",
                "There is no shared fragment “{name}”{hint}",
                name=shown(name),
                hint=did_you_mean(name, fragments),
            )
            yield Problem(path=path, message=message)
            continue
        if not isinstance(given, Mapping):
            yield no_mapping(path, given)
            continue
        places = fragments[name].get("places", {})
        for place in given.keys() - places.keys() - {"without"}:
            message = say(
                "這個共用片段沒有「{place}」這個位置{hint}",
                "This shared fragment has no place “{place}”{hint}",
                place=shown(place),
                hint=did_you_mean(place, places),
            )
            yield Problem(path=f"{path}.{place}", message=message)
        for place, usual in places.items():
            said = given.get(place, usual)
            if not (isinstance(said, str) or (isinstance(said, list | tuple) and said)):
                yield Problem(path=f"{path}.{place}", message=_WHICH_STATE)
