"""An engine for the page's tests: answers in a fixed way from a real corpus and remembers what it was asked."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from corpus import Corpus, Source, VerseError
from rag.datatypes import Answer, AnswerSentence, Citation, Note, Passage, ScoredPassage, Support, Turn
from rag.settings import Settings
from rag.vectors import Progress


@dataclass(frozen=True)
class Asked:
    """One call as the engine received it."""

    question: str
    history: tuple[Turn, ...]
    sources: tuple[str, ...]
    sections: tuple[str, ...]


def citation(corpus: Corpus, source: Source, sentence: int, number: int) -> Citation:
    document = corpus.documents[source.id]
    place = document.sentences[sentence]
    section = document.section_by_label[place.section]
    placed = [
        Note(p.correction.note, p.correction.status, p.correction.basis, p.correction.basis)
        for p in corpus.corrections.get(source.id, ())
        if p.start < place.end and place.start < p.end
    ]
    return Citation(
        number=number,
        source_id=source.id,
        source_title=source.title,
        author=source.author,
        url=source.url,
        stance=source.stance,
        section=section.label,
        section_title=section.title,
        locator=document.locator(place.start),
        quote=document.text[place.start : place.end],
        start=place.start,
        end=place.end,
        voice=place.voice,
        notes=tuple(placed),
    )


@dataclass
class FakeEngine:
    """Cites the sentences numbered `picks` of each source. Words in a question choose what happens:
    "unknown" abstains, "broken" raises a VerseError, "crash" a bug, "slow" waits before each sentence."""

    corpus: Corpus
    picks: tuple[int, ...] = (2, 5, 9)
    pause: float = 0.0
    settings: Settings = field(default_factory=Settings.read)
    asked: list[Asked] = field(default_factory=list)
    closed: int = 0
    finished: int = 0
    let_go: int = 0

    def ask(
        self,
        question: str,
        history: Sequence[Turn] = (),
        *,
        sources: Sequence[str] = (),
        sections: Sequence[str] = (),
    ) -> Answer:
        *_, last = self.stream(question, history, sources=sources, sections=sections)
        assert isinstance(last, Answer)
        return last

    def stream(
        self,
        question: str,
        history: Sequence[Turn] = (),
        *,
        sources: Sequence[str] = (),
        sections: Sequence[str] = (),
    ) -> Iterator[AnswerSentence | Answer]:
        self.asked.append(Asked(question, tuple(history), tuple(sources), tuple(sections)))
        if "broken" in question:
            raise VerseError("the index is missing; build it with: verse ingest")
        if "crash" in question:
            raise RuntimeError("a bug")
        answer = self._answer(question)
        try:
            for sentence in answer.sentences:
                time.sleep(1.0 if "slow" in question else self.pause)
                yield sentence
            yield answer
            self.finished += 1
        finally:
            self.closed += 1

    def retrieve(
        self,
        question: str,
        history: Sequence[Turn] = (),
        k: int = 10,
        *,
        sources: Sequence[str] = (),
        sections: Sequence[str] = (),
    ) -> list[ScoredPassage]:
        self.asked.append(Asked(question, tuple(history), tuple(sources), tuple(sections)))
        if "broken" in question:
            raise VerseError("the index is missing; build it with: verse ingest")
        found = []
        for source in self.corpus.sources:
            document = self.corpus.documents[source.id]
            for n, s in enumerate(document.sentences):
                section = document.section_by_label[s.section]
                text = document.text[s.start : s.end]
                place = (source.id, section.label, section.title, s.start, s.end, text)
                found.append(ScoredPassage(Passage(f"{source.id}:{n}", *place, sentences=(n, n + 1)), 1 / (1 + n)))
        return found[:k]

    def with_llm(self, name: str | None) -> FakeEngine:
        return replace(self, settings=self.settings.model_copy(update={"llm": name}))

    def close(self) -> None:
        self.let_go += 1

    def _answer(self, question: str) -> Answer:
        sources = [s for s in self.corpus.sources if s.stance != "opposing"] or list(self.corpus.sources)
        opposing = [s for s in self.corpus.sources if s.stance == "opposing"]
        # The first source gives every pick, the second one more, so that an answer cites two sources.
        picked = [(sources[0], n) for n in self.picks] + [(s, self.picks[0]) for s in sources[1:2]]
        citations = tuple(
            citation(self.corpus, source, min(pick, len(self.corpus.documents[source.id].sentences) - 1), n + 1)
            for n, (source, pick) in enumerate(picked)
        )
        if "unknown" in question:
            return Answer(question, question, "not_in_sources", 0.08, nearest=citations[:2])
        sentences = tuple(
            AnswerSentence(c.quote, (c.number,), c.voice, Support("weak" if c.number == 2 else "supported", 0.6))
            for c in citations
        )
        others = tuple(citation(self.corpus, source, 1, n + 1) for n, source in enumerate(opposing[:3]))
        llm = self.settings.llm
        return Answer(
            question,
            question,
            "answered",
            0.93,
            sentences,
            citations,
            others,
            withheld=(AnswerSentence("It flies to the moon.", support=Support("unsupported", 0.0)),) if llm else (),
            mode=llm or "extractive",
            notice=f"Answered without {llm}: it can't be reached." if "offline" in question else "",
        )


@dataclass
class Opener:
    """Opens fakes over the corpus of the settings; may be told to wait or to fail, and remembers."""

    opened: list[FakeEngine] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)
    failure: Exception | None = None

    def __post_init__(self) -> None:
        self.gate.set()

    def __call__(self, settings: Settings, progress: Progress, rebuild: bool) -> tuple[FakeEngine, str]:
        for n in range(3):
            progress(n, 3)
            assert self.gate.wait(10)
        if self.failure:
            raise self.failure
        corpus = Corpus.open(settings.corpus, pages=settings.home / "pages" / "any")
        self.opened.append(FakeEngine(corpus, (0, 1), settings=settings))
        return self.opened[-1], "rebuilt" if rebuild else "brought up"
