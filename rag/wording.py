"""Where a claim and its evidence differ in what words do: deny, turn round, hedge, count, give a cause."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rag.align import MEETS, Alignment, Difference, Mention, misplaced, say, trust
from rag.statements import REPORTING, Statement
from rag.terms import terms

_ANTONYMS = """
more greater higher larger bigger up above exceed gain | less fewer lower smaller down below loss
increase increased increasing rise rose rising grow grew growing \
| decrease decreased decreasing fall fell falling shrink shrank decline declined drop
before earlier | after later afterwards
better improve improved superior best | worse worsen inferior worst
easy easier simple simpler simplicity | hard harder difficult difficulty complex complicated complexity
fast faster quick quickly accelerate speed rapid rapidly | slow slower slowly delay slowed
strong stronger strength strongly powerful ample considerable | weak weaker weakly weakness little scant
safe safer low-risk | risky riskier dangerous unsafe
agree agrees agreed support supports accept accepts | disagree disagrees oppose opposes dispute disputes reject rejects
success succeed succeeds succeeded successful | fail fails failed failure
first | last final
early | late
win wins won | lose loses lost
optimistic | pessimistic
possible able | impossible unable
true right correct accurate | false wrong incorrect inaccurate
central main core major | peripheral minor marginal
broad wide general | narrow specific
cheap cheaper | expensive costly
begin start started began | end ended stop stopped
join joined | leave left
buy bought acquire | sell sold
accept accepted | refuse refused decline
always | never
high | low
far | near close
old older | new newer young younger
positive | negative
raises raised raise | lowers lowered cut
include includes | exclude excludes
full complete | empty partial
like likes love loved loves | dislike dislikes hate
confirmed confirm proven prove | refuted refute
necessary essential required | unnecessary optional
"""
_SIDES: dict[str, list[tuple[int, int]]] = {}
for _n, _line in enumerate(filter(None, _ANTONYMS.splitlines())):
    for _sign, _half in zip((1, -1), _line.split("|"), strict=True):
        for _word in _half.split():
            _SIDES.setdefault(_word, []).append((_n, _sign))
_PREFIX = re.compile(r"^(?:un|in|im|ir|il|dis|non)(?=[a-z]{4})")
_CAUSAL = frozenset(
    """because since due so therefore thus hence cause causes caused result results resulted lead leads led reason
    reasons why as make makes made for drive drives drove driven force forces forced explains owing thanks""".split()
)


def compare_wording(alignment: Alignment) -> list[Difference]:
    """What differs in denial, direction, certainty, quantity and cause."""
    if not alignment.view:
        return []
    compared = (_denials, _directions, _swaps, _hedges, _quantifiers, _causes)
    return [difference for compare in compared for difference in compare(alignment)]


def _denials(alignment: Alignment) -> Iterable[Difference]:
    claim = alignment.claim
    alone = any(word.lower == "else" for word in claim.words)
    clash: list[str] = []
    where: list[int] = []
    agree = 0
    for row, link in enumerate(alignment.links):
        if link is None:
            continue
        n = claim.content[row]
        word, other = claim.words[n], alignment.sentences[link[0]].words[link[1]]
        if alone and any(w.lower == "only" for w in alignment.sentences[link[0]].words):
            return
        if (
            (word.lower in REPORTING and word.sign > 0)
            or word.text[0].isupper()
            or (word.stem != other.stem and (word.lower in _SIDES or other.lower in _SIDES))
        ):
            continue
        if word.sign == other.sign:
            agree += word.sign == -1
        elif _otherwise(alignment, row, word.sign):
            agree += 1
        elif _first_denied(claim, n) or _first_denied(alignment.sentences[link[0]], link[1]):
            clash.append(word.text)
            where.append(link[0])
    if not clash and _unanswered(alignment):
        yield Difference("negation", "the evidence doesn't deny it", 0.8 * trust(alignment, alignment.view[0]))
    if clash:
        sentence = max(where, key=lambda s: alignment.coverage[s])
        weight = trust(alignment, sentence) * (1.0 if agree == 0 else 0.7 if agree < len(clash) + 2 else 0.3)
        yield Difference("negation", f"one denies what the other says of “{clash[0]}”", weight)


def _unanswered(alignment: Alignment) -> bool:
    """Whether the claim denies something and no sentence in view denies anything."""
    if all(word.sign > 0 for word in alignment.claim.words):
        return False
    words = [word for s in alignment.view for word in alignment.sentences[s].words]
    return all(word.sign > 0 and not _PREFIX.match(word.lower) and word.lower not in _SIDES for word in words)


def _otherwise(alignment: Alignment, row: int, sign: int) -> bool:
    """Whether another sentence in view has the same word with the claim's sign."""
    for s in alignment.view:
        for column in (alignment.likeness[s][row] >= 0.95).nonzero()[0]:
            if alignment.sentences[s].words[int(column)].sign == sign:
                return True
    return False


def _first_denied(statement: Statement, n: int) -> bool:
    """Whether a word is among the first three with content that a negator reaches."""
    if statement.words[n].sign > 0:
        return False
    before = 0
    for position in range(n - 1, -1, -1):
        if statement.words[position].sign > 0:
            return True
        before += bool(statement.words[position].stem)
        if before >= 3:
            return False
    return True


def _directions(alignment: Alignment) -> Iterable[Difference]:
    for n, word in enumerate(alignment.claim.words):
        same, others = [], []
        for s in alignment.view:
            for m, other in enumerate(alignment.sentences[s].words):
                relation = _relation(word.lower, other.lower)
                if relation > 0 or relation * word.sign * other.sign > 0:
                    same.append(Mention(s, m, m))
                elif relation < 0:
                    others.append(Mention(s, m, m))
        opposite = misplaced(alignment, Mention(-1, n, n), same, others)
        if opposite is not None:
            reason = f"the sentence has “{word.text}”, the evidence “{say(alignment, opposite)}”"
            yield Difference("direction", reason, trust(alignment, opposite.sentence))


def _swaps(alignment: Alignment) -> Iterable[Difference]:
    """Two words around a third that stand around it the other way round in the evidence."""
    links = alignment.links
    for row, middle in enumerate(links):
        if middle is None:
            continue
        for left in links[max(0, row - 3) : row]:
            for right in links[row + 1 : row + 4]:
                if left and right and left[0] == middle[0] == right[0] and right[1] < middle[1] < left[1]:
                    if _one_clause(alignment, row, right[1], left[1]):
                        words = alignment.sentences[middle[0]].words
                        reason = f"“{words[right[1]].text}” and “{words[left[1]].text}” change places"
                        yield Difference("swap", reason, trust(alignment, middle[0]))
                        return


def _one_clause(alignment: Alignment, row: int, first: int, last: int) -> bool:
    """Whether words of the evidence stand close in one clause, and neither text puts the doer behind with "by"."""
    words = alignment.sentences[alignment.links[row][0]].words  # type: ignore[index]
    n = alignment.claim.content[row]
    around = [*words[first : last + 1], *alignment.claim.words[max(0, n - 4) : n + 6]]
    return last - first <= 6 and words[first].clause == words[last].clause and all(w.lower != "by" for w in around)


def _relation(one: str, other: str) -> int:
    """1 for words of one side, -1 for opposites, 0 for words that have nothing to do with each other."""
    if one == other:
        return int(one in _SIDES or bool(_PREFIX.match(one)))
    for line, sign in _SIDES.get(one, ()):
        for line2, sign2 in _SIDES.get(other, ()):
            if line == line2:
                return sign * sign2
    shorter, longer = sorted((one, other), key=len)
    bare = _PREFIX.sub("", longer)
    return -int(bare != longer and terms(bare)[:1] == terms(shorter)[:1] != [])


def _hedges(alignment: Alignment) -> Iterable[Difference]:
    claim = alignment.claim
    hedged_claim = any(level == 0 for level in claim.certainty.values())
    for row, link in enumerate(alignment.links):
        if link is None:
            continue
        sentence = alignment.sentences[link[0]]
        hedge = _over(sentence, link[1], 0)
        if hedge is not None and not hedged_claim and not _flat_elsewhere(alignment, row):
            reason = f"the evidence says “{sentence.words[hedge].text}”, the sentence doesn't"
            yield Difference("hedge", reason, max(0.3, trust(alignment, link[0])))
            return
    for position, level in claim.certainty.items():
        if level != 2:
            continue
        word = claim.words[position].lower
        if not any(w.lower == word for s in alignment.view for w in alignment.sentences[s].words):
            yield Difference(
                "hedge", f"the evidence doesn't say “{word}”", max(0.3, trust(alignment, alignment.view[0]))
            )


def _over(statement: Statement, n: int, level: int) -> int | None:
    """The position of the word of this certainty that reaches word n: before it, with at most two content
    words of the same clause between."""
    between = 0
    for position in range(n - 1, -1, -1):
        if statement.words[position].clause != statement.words[position + 1].clause:
            if statement.words[position + 1].lower != "that":
                return None
            between = -1
        if statement.certainty.get(position) == level:
            return position
        between += bool(statement.words[position].stem)
        if between > 1:
            return None
    return None


def _flat_elsewhere(alignment: Alignment, row: int) -> bool:
    for s in alignment.view:
        for column in (alignment.likeness[s][row] >= 0.95).nonzero()[0]:
            if _over(alignment.sentences[s], int(column), 0) is None and alignment.coverage[s] > 0.6:
                return True
    return False


def _quantifiers(alignment: Alignment) -> Iterable[Difference]:
    claim = alignment.claim
    rows = {n: row for row, n in enumerate(claim.content)}
    for position, level in claim.amounts.items():
        head = next((n for n in range(position + 1, min(position + 4, len(claim.words))) if n in rows), None)
        if head is None or (link := alignment.links[rows[head]]) is None:
            continue
        sentence = alignment.sentences[link[0]]
        theirs = next(
            (sentence.amounts[p] for p in range(link[1] - 1, max(link[1] - 4, -1), -1) if p in sentence.amounts), None
        )
        if theirs is None:
            if level in (0, 5) and claim.words[position].lower in ("all", "every", "everyone", "none"):
                weight = 0.8 * trust(alignment, link[0])
                yield Difference("quantifier", f"the evidence doesn't say “{claim.words[position].text}”", weight)
        elif _apart(level, theirs):
            weight = trust(alignment, link[0])
            yield Difference("quantifier", f"“{claim.words[position].text}” isn't what the evidence says", weight)


def _apart(one: int, other: int) -> bool:
    return abs(one - other) >= 2 or {one, other} == {4, 5} or {one, other} == {0, 1}


def _causes(alignment: Alignment) -> Iterable[Difference]:
    parts = _cause_and_effect(alignment.claim)
    if parts is None:
        return
    told = any(word.lower in _CAUSAL for s in alignment.view for word in alignment.sentences[s].words)
    for s in alignment.view:
        theirs = _cause_and_effect(alignment.sentences[s])
        if theirs is None:
            continue
        straight = _shared(alignment, s, parts[0], theirs[0]) + _shared(alignment, s, parts[1], theirs[1])
        crossed = _shared(alignment, s, parts[0], theirs[1]) + _shared(alignment, s, parts[1], theirs[0])
        if crossed > straight + 1:
            yield Difference("cause", "cause and effect change places")
        return
    if not told:
        yield Difference("cause", "the evidence gives no such cause", 0.8 * trust(alignment, alignment.view[0]))


def _cause_and_effect(statement: Statement) -> tuple[set[int], set[int]] | None:
    """Positions of the words that tell the cause and of those that tell the effect."""
    for n, word in enumerate(statement.words):
        if word.lower in ("because", "since", "due"):
            if n > 1:
                return set(range(n + 1, len(statement.words))), set(range(n))
            comma = statement.text.find(",", word.end)
            middle = next((m for m, w in enumerate(statement.words) if w.start > comma), len(statement.words))
            return set(range(n + 1, middle)), set(range(middle, len(statement.words)))
    return None


def _shared(alignment: Alignment, s: int, mine: set[int], theirs: set[int]) -> int:
    return sum(
        bool((alignment.likeness[s][row, sorted(theirs)] >= MEETS).any())
        for row, n in enumerate(alignment.claim.content)
        if n in mine and theirs
    )
