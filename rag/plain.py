"""The answer without a language model, top to bottom: what is asked, the evidence, the first gate, the sentences.

A turn that asks two things is answered part by part, so that one part may be answered and the other not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from corpus import Corpus
from corpus.people import Person
from rag.asked import asks_where, asks_which_source
from rag.compose import compose
from rag.datatypes import (
    DraftSentence,
    Encoder,
    Evidence,
    Passage,
    Query,
    Reranker,
    Scope,
    ScoredPassage,
    Standalone,
    Status,
    Turn,
)
from rag.followup import parts, standalone_question
from rag.gaps import missing
from rag.gate import Verdict, judge, refusal
from rag.index import PassageIndex
from rag.intent import number_of_sentences, without_views
from rag.overview import overview
from rag.rerank import paragraph_coverage, rank_evidence, rerank
from rag.retrieve import find_candidates
from rag.spelling import respell
from rag.summarise import has_topic, summarise
from rag.terms import content_terms
from rag.understand import understand
from rag.views import opposing_sources, other_views

_NEAREST = 3
# Other views are looked for in so many passages of their sources.
_VIEWED = 40
# Where a turn asks several things, this many sentences for each.
_MOST_A_PART = 4
# A turn that leans on the conversation by its form may yet be about something else: then, by itself and with so many
# terms of its own, it finds evidence so much better (in logits). On public conversations this costs .004 of recall.
_FEWEST_OWN, _MUCH_BETTER, _LIKELY = 2, 5.0, 0.7
_CALLED = {"guest": ("the guest", "the interviewee"), "host": ("the host", "the interviewer")}
_IN_PARTS = ("answer", "views", "check")


@dataclass(frozen=True, slots=True)
class Plain:
    """An answer before its citations. `beside` says what of the question the sources don't answer and what was
    read as what, in sentences that rest on nothing; `evidence` is all of it, what the draft rests on first."""

    standalone: str
    status: Status
    confidence: float
    draft: tuple[DraftSentence, ...]
    beside: tuple[DraftSentence, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    views: tuple[Evidence, ...] = ()
    nearest: tuple[Passage, ...] = ()


@dataclass(frozen=True, slots=True)
class _Considered:
    """One question, the evidence for it, and whether it is answered; `overview` answers what names no topic."""

    query: Query
    candidates: list[ScoredPassage]
    evidence: list[Evidence]
    verdict: Verdict
    overview: tuple[DraftSentence, ...] = ()


class Plainly:
    """Makes plain answers over one corpus; holds nothing else."""

    def __init__(self, corpus: Corpus, index: PassageIndex, encoder: Encoder, reranker: Reranker | None = None) -> None:
        self._corpus, self._index, self._encoder, self._reranker = corpus, index, encoder, reranker
        self._people = [(*person.forms, *_roles(corpus, person)) for person in corpus.people]
        self._guest = any(person.role == "guest" for person in corpus.people)

    def answer(
        self,
        asked: str,
        turns: Sequence[Turn],
        scope: Scope,
        lap: Callable[[str], None],
        condense: Callable[[Query], str | None],
    ) -> Plain:
        """The answer to a turn of the conversation. `lap` is told the name of each stage at its end; `condense`
        may put a question that leans on the conversation in words of its own, and is heeded where that is answered."""
        text, read = respell(self._index, self._encoder, asked)
        plain = self._answer(text, turns, scope, lap, condense)
        as_read = DraftSentence(f"Read as: “{text}”", ())
        return replace(plain, beside=(*plain.beside, as_read)) if read else plain

    def _answer(
        self,
        asked: str,
        turns: Sequence[Turn],
        scope: Scope,
        lap: Callable[[str], None],
        condense: Callable[[Query], str | None],
    ) -> Plain:
        turn = standalone_question(asked, turns, self._people, guest=self._guest)
        whole = self._consider(turn, scope, lap)
        if turn.leaning and not whole.overview and len(content_terms(turn.asked)) >= _FEWEST_OWN:
            alone = self._consider(replace(turn, text=turn.asked, context="", leaning=0.0), scope)
            whole = alone if _changes_the_subject(whole, alone) else whole
        if whole.verdict.answerable and not whole.overview and (text := condense(whole.query)):
            condensed = self._consider(Standalone(text, text), scope)
            whole = condensed if condensed.verdict.answerable else whole
            lap("condense")
        considered = self._in_parts(whole, turns, scope) or [whole]
        answered = [one for one in considered if one.verdict.answerable]
        if not answered:
            nearest = tuple(found.passage for found in whole.candidates[:_NEAREST])
            no = (DraftSentence(refusal(whole.verdict), ()),)
            return Plain(whole.query.text, "not_in_sources", whole.verdict.confidence, no, nearest=nearest)
        draft = self._draft(answered, scope)
        gaps = [f"On “{one.query.asked}” the sources don't say." for one in considered if not one.verdict.answerable]
        gaps += [
            gap
            for one in answered
            if not one.overview
            for gap in missing(self._corpus, one.query, one.verdict.absent, draft)
        ]
        views = self._other_views(whole.query, draft, scope)
        lap("compose")
        evidence: dict[tuple[int, int], Evidence] = {}
        for e in chain(*(sentence.evidence for sentence in draft), *(one.evidence for one in answered)):
            evidence.setdefault((e.passage.row, e.position), e)
        return Plain(
            standalone=whole.query.text,
            status="partial" if gaps else "answered",
            confidence=max(one.verdict.confidence for one in answered),
            draft=draft,
            beside=tuple(DraftSentence(gap, ()) for gap in dict.fromkeys(gaps)),
            evidence=tuple(evidence.values()),
            views=tuple(views),
        )

    def _consider(self, turn: Standalone, scope: Scope, lap: Callable[[str], None] = lambda stage: None) -> _Considered:
        query = understand(self._index, self._encoder, turn, scope)
        lap("understand")
        candidates = find_candidates(self._index, query, scope)
        lap("retrieve")
        whole = tuple(overview(self._index, query, scope))
        evidence = rank_evidence(self._index, query, candidates)
        if self._reranker is not None:
            evidence = rerank(query, evidence, self._reranker)
        verdict = Verdict(1.0, ()) if whole else judge(self._index, query.asked, query, evidence, scope)
        if query.intent == "views" and not verdict.answerable and content_terms(topic := without_views(query.text)):
            # "Critics" and "disagree" stand in few of the views that they ask for.
            on_topic = self._consider(Standalone(topic, topic, said=query.said), scope)
            evidence, verdict = on_topic.evidence, on_topic.verdict
        lap("rank")
        return _Considered(query, candidates, evidence, verdict, whole)

    def _in_parts(self, whole: _Considered, turns: Sequence[Turn], scope: Scope) -> list[_Considered]:
        """Each thing that the turn asks, if it asks several and at least one is answered; a later part may lean
        on the first."""
        asked = parts(whole.query.asked)
        if len(asked) == 1 or whole.query.intent not in _IN_PARTS:
            return []
        before = [*turns]
        considered = []
        for part in asked:
            considered.append(self._consider(standalone_question(part, before, self._people, guest=self._guest), scope))
            before = [{"role": "user", "content": considered[0].query.text}]
        return considered if any(one.verdict.answerable for one in considered) else []

    def _draft(self, answered: Sequence[_Considered], scope: Scope) -> tuple[DraftSentence, ...]:
        """What to say: a summary of sections, or what answers the question, or each part of it."""
        if len(answered) > 1:
            each = [compose(self._corpus, one.query, one.evidence, _MOST_A_PART) for one in answered]
            said = {(e.passage.source_id, e.position): s for draft in each for s in draft for e in s.evidence}
            return tuple(dict.fromkeys(said.values()))
        query, evidence = answered[0].query, answered[0].evidence
        few = number_of_sentences(query.asked)
        if answered[0].overview:
            return answered[0].overview[:few]
        # A heading that spans its whole source names the text, not a place in it.
        places = [place for place in query.sections if len(self._index.sections_of(place[0])) > 1]
        if (query.intent == "summary" and not has_topic(self._corpus, query)) or (query.intent == "list" and places):
            return tuple(summarise(self._index, query, scope))
        if not asks_where(query.asked):
            draft = compose(self._corpus, query, evidence)
            return tuple(draft[:few] if query.intent == "summary" else draft)
        # Other sources tell of the text; in its own words it stands where it stands.
        main = None if asks_which_source(query.asked) else self._corpus.main
        draft = compose(
            self._corpus, query, [e for e in evidence if main and e.passage.source_id == main.id] or evidence
        )
        return (*self._places(draft), *draft)

    def _places(self, draft: Sequence[DraftSentence]) -> list[DraftSentence]:
        """In words where the best of what is said stands, for those who ask in which chapter."""
        e = draft[0].evidence[0]
        source = self._corpus.source_by_id[e.passage.source_id]
        where, title = e.passage.section, e.passage.section_title
        named = f"{where} ({title})" if title != where else f"under “{where}”"
        return [DraftSentence(f"That is in “{source.title}”, {named}.", (e,), about=True)]

    def _other_views(self, query: Query, draft: Sequence[DraftSentence], scope: Scope) -> list[Evidence]:
        """What opposing sources say on the cited sections; sections that were named are those of the answer."""
        sources = opposing_sources(self._corpus, draft, scope)
        if not sources or scope.sections:
            return []
        passages = _looked_through(self._index, query, sources)
        lines = [self._index.lines(passage.row) for passage in passages]
        return other_views(self._index, query, draft, passages, paragraph_coverage(self._index, query, lines))


def _roles(corpus: Corpus, person: Person) -> tuple[str, ...]:
    """What somebody is called by his part in the conversation, if nobody else has the same."""
    alone = [other.role for other in corpus.people].count(person.role) == 1
    return _CALLED.get(person.role, ()) if alone else ()


def _looked_through(index: PassageIndex, query: Query, sources: Sequence[str]) -> list[Passage]:
    """The passages in which other views are looked for: all of their sources, or those nearest to the question."""
    rows = [row for source in sources for row in range(*index.rows_of(source))]
    if len(rows) <= _VIEWED:
        return [index.passage(row) for row in rows]
    return [found.passage for found in find_candidates(index, query, Scope(tuple(sources)), _VIEWED)]


def _changes_the_subject(leaning: _Considered, alone: _Considered) -> bool:
    """Whether a turn finds far better evidence without the conversation than with it."""
    if not alone.evidence or not leaning.evidence or alone.verdict.confidence < _LIKELY:
        return False
    return alone.evidence[0].score - leaning.evidence[0].score >= _MUCH_BETTER
