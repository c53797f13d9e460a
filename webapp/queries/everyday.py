"""Which services a question in everyday words means. Texts in, an order out; where they come from is not asked here.

The question is cut into the longest pieces that the texts of the services know. A piece weighs by how few services
it names, and by where it stands: as one of the names of a service, in its title, in its summary.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from itertools import pairwise
from math import log
from typing import NamedTuple

from webapp.queries.characters import folded

#: what people write around the thing they look for
_AROUND = """
我想要 我想 我要 想要 請問 請教 請幫我 幫我 可以 可不可以 能不能 需要 如何 怎麼辦 怎麼 怎樣 哪裡 哪邊 去哪 多久 多少錢 多少 什麼
申請 申辦 辦理 要辦 線上 我家 家裡 家門口 門口 我們 我 你們 您 他 附近 這裡 那裡 這個 那個 這塊 這 那 一個 一間 一家 一下 一隻
一張 一層 一直 想 要 請 被 把 跟 和 與 在 去 來 幫 給 讓 用 辦 有 很 太 好 是 是不是 誰 嗎 呢 吧 啊 喔 的 了 得 會 能 就 都 也 還
再 又 自己 今天 明天 現在 以前 已經 金門縣政府 金門縣 金門 縣政府 縣府
"""
_AROUND_IN_ENGLISH = """
how what where who when which can could may do does is are am be was been has have had to i a an the for my our your me
we us of in on at by up out off from with and or not it its this that there apply application applying get getting want
wish need like please kinmen county someone some any about new service services online form help
"""
FILLERS = frozenset(folded(_AROUND).split())
STOP_WORDS = frozenset(_AROUND_IN_ENGLISH.split())
_TOKEN = re.compile(r"[a-z0-9]+|[^\W_a-z0-9]+")
_ENDINGS = ("ings", "ing", "ed", "es", "s")
SHORTEST_STEM = 3
#: beginnings and misspellings of English words count from here
SHORTEST_BEGINNING = 4
LONGEST_PIECE = 8

AS_NAME, IN_TITLE, IN_NAME, IN_SUMMARY, IN_GROUP = 1.0, 0.9, 0.7, 0.35, 0.2
BEGINNING = 0.6
#: an English word says as much as so many Chinese characters
WORD_SIZE = 2
#: a character that stands alone between words says less than one in a word
A_CHARACTER = 0.5
#: what a service only mentions in its summary is half known to it
MENTIONED = 0.5
#: the part of what was asked that a service must know
ENOUGH, A_LITTLE = 0.6, 0.35
#: what knows much less than the best is no answer beside it
NEAR_THE_BEST = 0.4
MOST_GUESSES = 3
#: names from this length on are recognised with one wrong character
SHORTEST_MISTYPED = 3
CLOSE = 0.85


class Entry(NamedTuple):
    """What the search knows of a service."""

    code: str
    #: services of several offices that are one to whoever looks for them have the same
    family: str
    titles: tuple[str, ...]
    #: everyday names, those that mean it most first
    names: tuple[str, ...]
    summaries: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class Found:
    """Codes of services, the best first. `guesses` are what may have been meant where nothing was found."""

    codes: tuple[str, ...] = ()
    guesses: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Unit:
    """A piece of the question: where it stands, how much it says, and which services know it how well."""

    start: int
    end: int
    weight: float
    known: Mapping[int, float] = field(default_factory=dict)


class Index:
    """The pieces of all texts of the services, and the services of each piece."""

    def __init__(self, entries: tuple[Entry, ...]) -> None:
        self.entries = entries
        self.names = [tuple(dict.fromkeys(map(folded, entry.names))) for entry in entries]
        self._pieces: dict[str, dict[int, float]] = defaultdict(dict)
        for n, entry in enumerate(entries):
            self._learn(n, entry)
        self._families = len({entry.family for entry in entries})
        self._words = sorted(piece for piece in self._pieces if piece.isascii())

    def _learn(self, n: int, entry: Entry) -> None:
        places = (
            (IN_TITLE, entry.titles),
            (IN_NAME, entry.names),
            (IN_SUMMARY, entry.summaries),
            (IN_GROUP, entry.groups),
        )
        for weight, texts in places:
            for token in (token for text in texts for token in tokens(folded(text))):
                for piece in _parts(token, singly=weight in (IN_TITLE, IN_NAME)):
                    self._keep(piece, n, weight)
        for name in (*self.names[n], folded(entry.code)):
            whole = tokens(name)
            if len(whole) == 1:
                self._keep(whole[0], n, AS_NAME)

    def _keep(self, piece: str, n: int, weight: float) -> None:
        known = self._pieces[piece]
        known[n] = max(weight, known.get(n, 0.0))

    # --- the question ------------------------------------------------------------------------------------

    def search(self, question: str) -> Found:
        sentence = folded(question)
        units = list(self._units(sentence))
        asked = sum(unit.weight for unit in units)
        if not asked:
            return Found()
        found, guesses = [], []
        for n in range(len(self.entries)):
            named = self._named(n, sentence)
            shares = [max(unit.known.get(n, 0.0), _covered(unit, named)) for unit in units]
            score = sum(unit.weight * share for unit, share in zip(units, shares, strict=True))
            known = sum(
                unit.weight
                * (
                    max(share, MENTIONED if unit.known[n] == IN_SUMMARY else 1.0)
                    if n in unit.known
                    else share
                )
                for unit, share in zip(units, shares, strict=True)
            )
            # of two that know as much, the one that is called so first
            rank = (-score, min((place for _, _, place in named), default=len(self.names[n])), n)
            if named or known >= ENOUGH * asked:
                found.append(rank)
            elif known >= A_LITTLE * asked and any(unit.known.get(n, 0.0) > IN_SUMMARY for unit in units):
                guesses.append(rank)
        found.sort()
        guesses.sort()
        near = [rank for rank in found if rank[0] <= NEAR_THE_BEST * found[0][0]]
        if near:
            return Found(codes=tuple(self.entries[n].code for *_, n in near))
        mistyped = self._mistyped(sentence)
        meant = dict.fromkeys([*mistyped, *(n for *_, n in guesses)])
        return Found(guesses=tuple(self.entries[n].code for n in self._of_few_families(meant)))

    def asks(self, question: str) -> bool:
        """Whether anything is asked for, besides the words that stand around it."""
        return any(unit.weight for unit in self._units(folded(question)))

    def _units(self, sentence: str) -> Iterator[_Unit]:
        for found in _TOKEN.finditer(sentence):
            token, start = found[0], found.start()
            if not token.isascii():
                yield from self._cut(token, start)
            elif token not in STOP_WORDS:
                known = self._of_word(stem(token))
                yield _Unit(start, found.end(), WORD_SIZE * self._rarity(known), known)

    def _of_word(self, word: str) -> Mapping[int, float]:
        """An English word, or the beginning of one."""
        known = dict(self._pieces.get(word, {}))
        if len(word) >= SHORTEST_BEGINNING:
            for longer in (longer for longer in self._words if longer != word and longer.startswith(word)):
                for n, weight in self._pieces[longer].items():
                    known[n] = max(BEGINNING * weight, known.get(n, 0.0))
        return known

    def _cut(self, token: str, start: int) -> Iterator[_Unit]:
        """The fewest known pieces that leave the fewest characters over, without what stands around them."""
        # (characters left over, pieces, where the last one begins), for each end
        best = [(0, 0, 0)]
        for end in range(1, len(token) + 1):
            over, count, _ = best[end - 1]
            ways = [(over + 1, count + 1, end - 1)]
            for begin in range(max(0, end - LONGEST_PIECE), end):
                piece = token[begin:end]
                if piece in FILLERS or (len(piece) > 1 and piece in self._pieces):
                    ways.append((best[begin][0], best[begin][1] + 1, begin))
            best.append(min(ways))
        ends = [len(token)]
        while ends[-1]:
            ends.append(best[ends[-1]][2])
        pieces = list(pairwise(reversed(ends)))
        over = {begin for begin, end in pieces if end - begin == 1 and token[begin] not in FILLERS}
        for begin, end in pieces:
            if token[begin:end] not in FILLERS:
                # two characters that nothing knows are a word for something else; one may be 狗
                alone = begin in over and not {begin - 1, begin + 1} & over
                known = self._pieces.get(token[begin:end], {}) if alone or begin not in over else {}
                size = A_CHARACTER if alone and len(token) > 1 else end - begin
                yield _Unit(start + begin, start + end, size * self._rarity(known), known)

    def _rarity(self, known: Mapping[int, float]) -> float:
        families = {self.entries[n].family for n in known}
        return log((self._families + 1) / (len(families) or 0.5))

    def _named(self, n: int, sentence: str) -> list[tuple[int, int, int]]:
        """Where names of a service stand whole in the question, and which of its names they are."""
        found = []
        for place, name in enumerate(self.names[n]):
            if name.isascii():
                at = re.search(rf"\b{re.escape(name)}\b", sentence)
                if at is not None:
                    found.append((at.start(), at.end(), place))
            elif len(name) > 1 and (start := sentence.find(name)) >= 0:
                found.append((start, start + len(name), place))
        return found

    # --- mistyped ----------------------------------------------------------------------------------------

    def _mistyped(self, sentence: str) -> list[int]:
        """The services with a name that the question has with one wrong character, or a word nearly spelt so."""
        words = [token for token in tokens(sentence) if token.isascii() and len(token) >= SHORTEST_BEGINNING]
        meant = [near for word in words for near in get_close_matches(word, self._words, n=1, cutoff=CLOSE)]
        found = [
            n for word in meant for n in sorted(self._pieces[word], key=self._pieces[word].__getitem__)[::-1]
        ]
        for n, names in enumerate(self.names):
            if any(_nearly(name, sentence) for name in names):
                found.append(n)
        return found

    def _of_few_families(self, meant: Mapping[int, None]) -> Iterator[int]:
        kept: set[str] = set()
        for n in meant:
            family = self.entries[n].family
            if family in kept or len(kept) < MOST_GUESSES:
                kept.add(family)
                yield n


@lru_cache(maxsize=4)
def index_of(entries: tuple[Entry, ...]) -> Index:
    """The same texts are read once."""
    return Index(entries)


def tokens(text: str) -> list[str]:
    """Runs of Chinese characters, and the stems of English words."""
    return [stem(token) if token.isascii() else token for token in _TOKEN.findall(text)]


def stem(word: str) -> str:
    """houses, house and housing are one word."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= SHORTEST_STEM:
            word = word.removesuffix(ending)
            break
    return word.removesuffix("e") if len(word) > SHORTEST_STEM else word


def _parts(token: str, *, singly: bool) -> Iterator[str]:
    if token.isascii():
        yield token
        return
    if singly:
        yield from token
    for start in range(len(token) - 1):
        for end in range(start + 2, min(len(token), start + LONGEST_PIECE) + 1):
            yield token[start:end]


def _covered(unit: _Unit, named: list[tuple[int, int, int]]) -> float:
    """How much of a piece stands in names of the service."""
    inside = {at for start, end, _ in named for at in range(max(start, unit.start), min(end, unit.end))}
    return len(inside) / (unit.end - unit.start)


def _nearly(name: str, sentence: str) -> bool:
    if name.isascii() or len(name) < SHORTEST_MISTYPED:
        return False
    windows = (sentence[at : at + len(name)] for at in range(len(sentence) - len(name) + 1))
    return any(sum(a != b for a, b in zip(name, window, strict=True)) == 1 for window in windows)
