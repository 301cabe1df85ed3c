"""Engine: holds the open parts; `ask` is the ask flow, top to bottom."""

from __future__ import annotations

import logging
import shutil
import tempfile
import time
import unicodedata
from collections.abc import Callable, Generator, Iterator, Sequence
from functools import cached_property, partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from corpus import Corpus
from rag.call import Call, LanguageModel, Stoppable
from rag.chatter import Chatter, chatter, reply
from rag.cite import cite_evidence, cite_passages, cite_sentences
from rag.condense import condense
from rag.datatypes import Answer, AnswerSentence, DraftSentence, Encoder, Query, Scope, ScoredPassage, Turn
from rag.encoder import load_reranker, open_encoder
from rag.errors import IndexMismatch, IndexMissing, ModelUnavailable, QuestionError
from rag.fluent import Written, write
from rag.folder import ENCODER
from rag.followup import standalone_question
from rag.index import PassageIndex
from rag.opening import open_index, open_served_corpus
from rag.plain import Plain, Plainly
from rag.retrieve import find_candidates
from rag.settings import Settings
from rag.support import SupportChecker, open_checker
from rag.understand import understand

if TYPE_CHECKING:
    from llama_index.core.query_engine import BaseQueryEngine
    from llama_index.core.retrievers import BaseRetriever

_log = logging.getLogger(__name__)


class Engine:
    """Answers questions over one corpus. Safe to use from many threads; a context manager."""

    def __init__(
        self,
        corpus: Corpus,
        index: PassageIndex,
        encoder: Encoder,
        settings: Settings,
        llm: LanguageModel | None = None,
    ) -> None:
        self.corpus = corpus
        self.settings = settings
        self.index = index
        self.encoder = encoder
        self.llm = llm
        reranker = load_reranker(settings.reranker) if settings.reranker else None
        self._plainly = Plainly(corpus, index, encoder, reranker)
        self._temporary: Path | None = None
        self._borrowed = False

    @classmethod
    def open(cls, corpus: Corpus, settings: Settings, build_missing: Callable[[], object] | None = None) -> Self:
        """Open the index of a corpus; where there is none yet, build it first (by `build_missing`, if given).

        Raises IndexMismatch when the index there is of another corpus, model or version, and ModelUnavailable
        when the language model or the cross-encoder that the settings name can't be had.
        """
        llm = _open_llm(settings)
        if settings.reranker:
            load_reranker(settings.reranker)  # before an index is built in vain
        if corpus.folder is not None or settings.index is not None:
            return cls._open(corpus, settings, build_missing, llm)
        temporary = Path(tempfile.mkdtemp(prefix="verse-"))
        try:
            engine = cls._open(corpus, settings.model_copy(update={"index": temporary}), build_missing, llm)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
        engine._temporary = temporary
        return engine

    @classmethod
    def _open(
        cls,
        corpus: Corpus,
        settings: Settings,
        build_missing: Callable[[], object] | None,
        llm: LanguageModel | None,
    ) -> Self:
        try:
            index = open_index(corpus, settings)
        except IndexMissing:
            (build_missing or partial(_build_first, corpus, settings))()
            index = open_index(corpus, settings)
        try:
            encoder = open_encoder(settings.model, index.build / ENCODER)
            return cls(index.corpus, index, encoder, settings, llm)
        except BaseException:
            index.close()
            raise

    @cached_property
    def checker(self) -> SupportChecker:
        """The support check with this engine's encoder and the names of its corpus's people.

        Raises ModelUnavailable when the entailment model of the settings can't be had, and IndexMismatch when the files
        of the index are damaged."""
        people = (person.forms for person in self.corpus.people)
        return open_checker(self.encoder, self.index.build / ENCODER, people, self.settings.nli)

    def with_llm(self, name: str | None) -> Engine:
        """An engine over the same open parts that answers with another language model, or with none.

        Costs nothing but opening the model. It borrows this engine's index: closing it closes nothing, and it
        ends with this one. Raises ModelUnavailable, with the cure.
        """
        settings = self.settings.model_copy(update={"llm": name})
        other = Engine(self.corpus, self.index, self.encoder, settings, _open_llm(settings))
        other._borrowed = True
        return other

    def ask(
        self,
        question: str,
        history: Sequence[Turn] = (),
        *,
        sources: Sequence[str] = (),
        sections: Sequence[str] = (),
    ) -> Answer:
        """Answer a question. `history` is the conversation so far, oldest turn first; `sources` and
        `sections` narrow what may be looked at. Raises QuestionError."""
        *_, answer = self.stream(question, history, sources=sources, sections=sections)
        assert isinstance(answer, Answer)
        return answer

    def stream(
        self,
        question: str,
        history: Sequence[Turn] = (),
        *,
        sources: Sequence[str] = (),
        sections: Sequence[str] = (),
    ) -> Stoppable[AnswerSentence | Answer]:
        """The sentences of the answer as they are ready, each checked, and last the Answer itself.

        Where the Answer has a `notice`, the model failed, perhaps in mid-answer: then the Answer takes the place
        of the sentences before it. `close()`, from any thread, ends the answer and the model's connection at once.
        """
        call = Call(self.settings.llm_seconds)
        return Stoppable(self._answer(question, history, sources, sections, call), call)

    def _answer(
        self, question: str, history: Sequence[Turn], sources: Sequence[str], sections: Sequence[str], call: Call
    ) -> Generator[AnswerSentence | Answer]:
        """The ask flow."""
        clock = _Clock()
        asked = self._clean(question)
        scope = self._scope(sources, sections)
        if (kind := chatter(asked)) is not None:
            yield from self._small_talk(question, kind, clock)
            return
        turns = _turns(history)
        plain = self._plainly.answer(asked, turns, scope, clock.lap, partial(self._condensed, turns, call))
        written = Written()
        if any(sentence.about for sentence in plain.draft):
            # These tell of the sources: a model would be given what is wrong, or merely stands there, as evidence.
            written = Written(failure="places, authors and known corrections are said as the corpus has them")
        elif self.llm is not None and plain.status != "not_in_sources":
            written = yield from self._write(asked, turns, plain, call)
            clock.lap("generate")
        said, citations = cite_sentences(
            self.corpus, [*(written.said if written.stands else plain.draft), *plain.beside]
        )
        if written.stands or not written.said:
            yield from said[len(written.said) :]
        yield Answer(
            question=question,
            standalone_question=plain.standalone,
            status=plain.status,
            confidence=round(plain.confidence, 4),
            sentences=said,
            citations=citations,
            other_views=tuple(cite_evidence(self.corpus, view, n) for n, view in enumerate(plain.views, start=1)),
            nearest=cite_passages(self.corpus, plain.nearest),
            withheld=written.withheld,
            mode=self.llm.name if self.llm is not None and written.stands else "extractive",
            notice=f"Answered without {self.llm.name}: {written.failure}." if self.llm and written.failure else "",
            timings=clock.laps,
        )

    def _condensed(self, turns: Sequence[Turn], call: Call, query: Query) -> str | None:
        """A turn that leans on the conversation, as the model puts it; None where the rules do."""
        if self.llm is None or query.text == query.asked:
            return None
        return condense(self.llm, query.asked, turns, call)

    def _write(
        self,
        asked: str,
        turns: Sequence[Turn],
        plain: Plain,
        call: Call,
    ) -> Generator[AnswerSentence, None, Written]:
        """The model's answer, cited sentence by sentence; its evidence is the plain answer's, then what ranks next."""
        assert self.llm is not None
        try:
            check = self.checker.check
        except (ModelUnavailable, IndexMismatch) as error:
            return Written(failure=f"its sentences can't be checked: {error}")
        basis = len({(e.passage.row, e.position) for sentence in plain.draft for e in sentence.evidence})
        sentences = write(self.llm, self.corpus, asked, turns, plain.evidence, basis, check, call)
        said: list[DraftSentence] = []
        while True:
            try:
                said.append(next(sentences))
            except StopIteration as end:
                written: Written = end.value
                return written
            yield cite_sentences(self.corpus, said)[0][-1]

    def retrieve(
        self,
        question: str,
        history: Sequence[Turn] = (),
        k: int = 10,
        *,
        sources: Sequence[str] = (),
        sections: Sequence[str] = (),
    ) -> list[ScoredPassage]:
        """The k passages that fit the question best, best first. Raises QuestionError."""
        if k < 1:
            raise QuestionError(f"k is {k}; ask for at least 1 passage")
        scope = self._scope(sources, sections)
        turn = standalone_question(self._clean(question), _turns(history))
        query = understand(self.index, self.encoder, turn, scope)
        return find_candidates(self.index, query, scope, k)

    def as_retriever(self, k: int = 10) -> BaseRetriever:
        """The retrieval of this engine as a llama-index retriever."""
        from rag.llama_types import VerseRetriever  # noqa: PLC0415 -- llama-index takes seconds to import

        return VerseRetriever(lambda question: self.retrieve(question, k=k))

    def as_query_engine(self) -> BaseQueryEngine:
        """The engine as a llama-index query engine."""
        from rag.llama_types import VerseQueryEngine  # noqa: PLC0415 -- llama-index takes seconds to import

        return VerseQueryEngine(self.ask)

    def close(self) -> None:
        """Let go of the index, unless it is another engine's; a temporary one is deleted."""
        if not self._borrowed:
            self.index.close()
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)
            self._temporary = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _small_talk(self, question: str, kind: Chatter, clock: _Clock) -> Iterator[AnswerSentence | Answer]:
        """A friendly line on what can be asked; the turn is neither searched for nor obeyed."""
        clock.lap("understand")
        line = AnswerSentence(reply(kind, self.corpus))
        yield line
        yield Answer(question, question, "not_in_sources", 0.0, (line,), timings=clock.laps)

    def _clean(self, question: str) -> str:
        """The question without what no reader typed: control characters and halves of surrogate pairs."""
        if not isinstance(question, str):
            raise QuestionError(f"the question is a {type(question).__name__}; ask with a string")
        if len(question) > self.settings.max_question:
            raise QuestionError(
                f"the question has {len(question):,} characters, the limit is {self.settings.max_question:,}; "
                "shorten it, or put a long text into the corpus with: verse add FILE"
            )
        kept = "".join(" " if unicodedata.category(ch) in ("Cc", "Cs", "Co", "Cn") else ch for ch in question)
        kept = " ".join(kept.split())
        if not kept:
            raise QuestionError('the question is empty; ask something, such as: verse ask "What is this about?"')
        return kept

    def _scope(self, sources: Sequence[str], sections: Sequence[str]) -> Scope:
        sources, sections = tuple(sources or ()), tuple(sections or ())
        for source in sources:
            if source not in self.corpus.source_by_id:
                known = ", ".join(list(self.corpus.source_by_id)[:30])
                raise QuestionError(f"no source has the id {source!r}; the sources are: {known}")
        labels = dict.fromkeys(label for label, _ in self.index.meta.sections) if sections else {}
        for section in sections:
            if section not in labels:
                raise QuestionError(f"no section is called {section!r}; there are: {', '.join(list(labels)[:30])}")
        return Scope(sources, sections)


def _turns(history: Sequence[Turn]) -> Sequence[Turn]:
    """The conversation without small talk, or a QuestionError that says what a turn looks like."""
    asked: list[Turn] = []
    small = False
    for turn in history:
        if not (isinstance(turn, dict) and isinstance(turn.get("content"), str) and turn.get("role")):
            raise QuestionError(
                f"a turn of the history is {str(turn)[:60]!r}; give "
                '{"role": "user" or "assistant", "content": "..."} for each'
            )
        small = small if turn["role"] == "assistant" else chatter(turn["content"]) is not None
        asked += [] if small else [turn]
    return asked


def _open_llm(settings: Settings) -> LanguageModel | None:
    """The language model that the settings name, if they name one."""
    if settings.llm is None:
        return None
    from rag.llama import open_llm  # noqa: PLC0415 -- only where a model is asked for

    return open_llm(settings.llm, settings.llm_context)


def _build_first(corpus: Corpus, settings: Settings) -> None:
    """Build the index that isn't there yet; where another process is at it, wait."""
    from rag.ingest import ingest  # noqa: PLC0415 -- Chroma and more, half a second that asking doesn't need

    ingest(corpus, settings, waiting=_log.warning)


class _Clock:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self.laps[stage] = round(now - self._last, 6)
        self._last = now


def open_engine(
    corpus: Corpus | str | Path | None = None,
    index: str | Path | None = None,
    llm: str | None = None,
    *,
    model: str | None = None,
    home: str | Path | None = None,
) -> Engine:
    """Open the built-in corpus, a corpus folder, or a Corpus; build its index on first use.

    Raises CorpusError, IndexMismatch, ModelUnavailable or SettingsError, each with its cure.
    """
    folder = None if isinstance(corpus, Corpus) else corpus
    settings = Settings.read(corpus=folder, index=index, llm=llm, model=model, home=home)
    if not isinstance(corpus, Corpus):
        corpus = open_served_corpus(settings)
    return Engine.open(corpus, settings)
