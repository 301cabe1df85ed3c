"""Evidence -> citations: the one place where a Citation is made, and where its quote is asserted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from corpus import Corpus
from rag.datatypes import AnswerSentence, Citation, DraftSentence, Evidence, Note, Passage, Support


def cite_sentences(
    corpus: Corpus, draft: Sequence[DraftSentence]
) -> tuple[tuple[AnswerSentence, ...], tuple[Citation, ...]]:
    """The sentences with the numbers of their citations, in reading order; one place has one number."""
    numbers: dict[tuple[str, int, int], int] = {}
    citations: list[Citation] = []
    sentences: list[AnswerSentence] = []
    for said in draft:
        marks = []
        for evidence in said.evidence:
            place = (evidence.passage.source_id, evidence.sentence.start, evidence.sentence.end)
            if place not in numbers:
                numbers[place] = len(numbers) + 1
                citations.append(cite_evidence(corpus, evidence, numbers[place]))
            marks.append(numbers[place])
        held = () if said.about else said.evidence
        voice = " and ".join(dict.fromkeys(e.sentence.voice for e in held if e.sentence.voice))
        word_for_word = Support("supported", 1.0, "word for word") if held else None
        sentences.append(AnswerSentence(said.text, tuple(marks), voice, said.support or word_for_word, said.form))
    return tuple(sentences), tuple(citations)


def cite_evidence(corpus: Corpus, evidence: Evidence, number: int) -> Citation:
    """The citation of one sentence."""
    sentence = evidence.sentence
    return _cite(corpus, evidence.passage, sentence.start, sentence.end, sentence.voice, number)


def cite_passages(corpus: Corpus, passages: Iterable[Passage]) -> tuple[Citation, ...]:
    """Citations of whole passages, numbered from 1."""
    return tuple(
        _cite(corpus, p, p.start, p.end, corpus.documents[p.source_id].sentences[p.sentences[0]].voice, n)
        for n, p in enumerate(passages, start=1)
    )


def _cite(corpus: Corpus, passage: Passage, start: int, end: int, voice: str, number: int) -> Citation:
    source = corpus.source_by_id[passage.source_id]
    document = corpus.documents[passage.source_id]
    quote = document.text[start:end]
    offset = start - passage.start
    assert passage.text[offset : offset + end - start] == quote, "a quote must stand where it is cited"
    notes = tuple(
        Note(
            placed.correction.note,
            placed.correction.status,
            placed.correction.basis,
            corpus.source_by_id[placed.correction.basis].title
            if placed.correction.basis in corpus.source_by_id
            else placed.correction.basis,
        )
        for placed in corpus.corrections.get(source.id, ())
        if placed.start < end and start < placed.end
    )
    return Citation(
        number=number,
        source_id=source.id,
        source_title=source.title,
        author=source.author,
        url=source.url,
        stance=source.stance,
        section=passage.section,
        section_title=passage.section_title,
        locator=document.locator(start),
        quote=quote,
        start=start,
        end=end,
        voice=voice,
        notes=notes,
    )
