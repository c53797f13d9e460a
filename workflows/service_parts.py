"""Parts that services share, put in place before a definition is stored.

    include:
      letters: {}
      appeal: {authority: {zh: 內政部, en: the Ministry of the Interior}}

A part is a file of workflows/services/_shared: `takes` lists what the service must say, `gives` what it adds.
$name in a text stands for what was said, in the language of the text. What the service says itself wins; letters
and parameters are joined one by one.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from rules.conditions import did_you_mean, shown
from rules.values import DefinitionError, Problem, Text, say
from workflows.reading import no_mapping

#: joined entry by entry
JOINED = ("letters", "parameters")

_MISSING = Text(zh="必須寫明", en="It must be said")


def expand(data: Mapping[str, Any], parts: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The service with its parts in place, or DefinitionError with every mistake of its `include`."""
    includes = data.get("include", {})
    if problems := list(_mistakes(includes, parts)):
        raise DefinitionError(problems)
    whole: dict[str, Any] = {}
    for name, said in includes.items():
        whole = _over(whole, _filled(parts[name]["gives"], said, ""))
    return _over(whole, {key: value for key, value in data.items() if key != "include"})


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    whole = {**below, **above}
    for key in JOINED:
        both = below.get(key), above.get(key)
        if isinstance(both[0], Mapping) and isinstance(both[1], Mapping):
            whole[key] = {**both[0], **both[1]}
    return whole


def _filled(part: Any, said: Mapping[str, Any], lang: str) -> Any:
    if isinstance(part, Mapping):
        return {
            key: _filled(value, said, key if key in ("zh", "en") else lang) for key, value in part.items()
        }
    if isinstance(part, list | tuple):
        return [_filled(value, said, lang) for value in part]
    if not isinstance(part, str):
        return part
    for name, value in said.items():
        if part == f"${name}":
            return value
        text = value.get(lang) or value.get("zh") if isinstance(value, Mapping) else value
        part = part.replace(f"${name}", str(text))
    return part


def _mistakes(includes: object, parts: Mapping[str, Mapping[str, Any]]) -> Iterator[Problem]:
    if not isinstance(includes, Mapping):
        yield no_mapping("include", includes)
        return
    for name, said in includes.items():
        path = f"include.{name}"
        if name not in parts:
            message = say(
                "沒有「{name}」這個共用部分{hint}",
                "There is no shared part “{name}”{hint}",
                name=shown(name),
                hint=did_you_mean(name, parts),
            )
            yield Problem(path=path, message=message)
        elif not isinstance(said, Mapping):
            yield no_mapping(path, said)
        else:
            takes = parts[name].get("takes", ())
            for each in said.keys() - set(takes):
                message = say(
                    "這個共用部分不問「{item}」{hint}",
                    "This shared part does not ask for “{item}”{hint}",
                    item=shown(each),
                    hint=did_you_mean(each, takes),
                )
                yield Problem(path=f"{path}.{each}", message=message)
            for each in takes:
                if said.get(each) is None:
                    yield Problem(path=f"{path}.{each}", message=_MISSING)
