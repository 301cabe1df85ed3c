"""A question file against its corpus: evidence word for word, sections and sources that exist, with the nearest
match where they don't."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from rapidfuzz import fuzz, process

from corpus import Corpus
from evals.gold import places, searched_sources
from evals.metrics import answer_text, holds
from evals.questions import Fault, Question, read_lines

_SHOWN = 160


def check_file(file: Path, corpus: Corpus) -> tuple[int, list[Fault]]:
    """(questions that could be read, faults by line). Raises QuestionFileError."""
    count, faults = 0, []
    for number, found in read_lines(file):
        if isinstance(found, Fault):
            faults.append(found)
        else:
            count += 1
            faults += [Fault(file, number, text) for text in (*misfits(found, corpus), *_oddities(found))]
    return count, faults


def misfits(question: Question, corpus: Corpus, *, nearest: bool = True) -> Iterator[str]:
    """What the question's gold names and the corpus hasn't; `nearest` looks for what was meant, which takes time."""
    for source in question.sources:
        if source not in corpus.source_by_id:
            yield f"sources: no source has the id {source!r}" + _nearest_name(source, corpus.source_by_id, nearest)
    labels = _labels(question, corpus)
    for section in question.gold_sections:
        if section not in labels:
            yield f"gold_sections: there is no section {section!r}" + _nearest_name(section, labels, nearest)
    sources = searched_sources(question, corpus)
    for spans in question.spans:
        for span in spans:
            found = list(places(span, corpus, sources))
            if not found:
                yield f"evidence is not verbatim: {_cut(span)!r}" + (_nearest_text(span, corpus) if nearest else "")
                continue
            stands = {f"{p.source_id}#{p.section}" if question.names_sources else str(p.section) for p in found}
            if question.gold_sections and not stands & set(question.gold_sections):
                yield (
                    f"evidence stands in {' and '.join(sorted(stands))}, which gold_sections doesn't name: "
                    f"{_cut(span)!r}"
                )


def _oddities(question: Question) -> Iterator[str]:
    """What fits no corpus at all."""
    if question.answerable and not question.evidence:
        yield "answerable, but without evidence; quote what answers it, or set answerable to false"
    if question.answerable and question.evidence and not question.gold_sections:
        yield "answerable, but without gold_sections; name the section that the evidence stands in"
    if not question.answerable and (question.evidence or question.gold_sections or question.must_include):
        yield "not answerable, but with evidence, gold_sections or must_include; take them out, or set answerable"
    if question.kind == "follow_up" and not question.history:
        yield "a follow_up without history; give the turns before it, or choose another kind"
    if not question.answerable:
        return
    gold = answer_text(" ".join([*(s for spans in question.spans for s in spans), question.attribution or ""]))
    gold += " " + " ".join(question.gold_sections).lower()
    for keys in question.must_include:
        if not any(holds(gold, key) for key in keys):
            yield f"must_include: the evidence holds none of {list(keys)}, so no quotation of it can be right"
    for key in question.must_not:
        if holds(answer_text(" ".join(question.evidence)), key, whole=True):
            yield f"must_not: {key!r} stands in the evidence, so a right answer would fail"


def _labels(question: Question, corpus: Corpus) -> dict[str, None]:
    """Section names as the question writes them."""
    sources = question.sources or list(corpus.source_by_id)
    if question.names_sources:
        sources = [section.partition("#")[0] for section in question.gold_sections]
    return dict.fromkeys(
        f"{source}#{section.label}" if question.names_sources else section.label
        for source in sources
        if source in corpus.source_by_id
        for section in corpus.documents[source].sections
    )


def _nearest_name(name: str, names: Iterable[str], wanted: bool) -> str:
    found = process.extractOne(name, list(names), scorer=fuzz.ratio) if wanted else None
    if found is None:
        return ""
    return f"; nearest is {found[0]!r}"


def _nearest_text(span: str, corpus: Corpus) -> str:
    """The sentence that comes closest, whole, and where it stands."""
    best, where = None, ""
    for source_id in corpus.source_by_id:
        found = fuzz.partial_ratio_alignment(span, corpus.text(source_id), score_cutoff=best.score if best else 0)
        if found is not None and (best is None or found.score > best.score):
            best, where = found, source_id
    if best is None:
        return ""
    start, end, document = best.dest_start, best.dest_end, corpus.documents[where]
    meant = max(document.sentences, key=lambda s: min(s.end, end) - max(s.start, start))
    return f"; nearest is {_cut(document.text[meant.start : meant.end])!r} ({where}, {meant.section})"


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
