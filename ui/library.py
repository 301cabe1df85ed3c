"""The engine that the page asks; after an edit of its corpus another engine takes its place.

An engine that was replaced is closed when its last question has been answered.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from corpus import BUILT_IN, Corpus, VerseError
from rag.datatypes import Answer, AnswerSentence, ScoredPassage
from rag.engine import Engine as RagEngine
from rag.opening import open_corpus, pages_folder
from rag.settings import Settings
from rag.vectors import Progress
from ui import edits
from ui.chat import Engine
from ui.edits import Adding, Edit
from ui.jobs import Jobs, Outcome, Step


@dataclass
class _Held:
    """An engine, how many questions it is answering, and whether another has taken its place."""

    engine: Engine
    users: int = 0
    retired: bool = False


Opener = Callable[[Settings, Progress, bool], tuple[Engine, str]]


def reopen(settings: Settings, progress: Progress, rebuild: bool) -> tuple[Engine, str]:
    """Bring the index up to the corpus of the settings and open an engine on it; says what was done."""
    from rag.ingest import ingest  # noqa: PLC0415 -- Chroma, half a second of the page's start

    corpus = open_corpus(settings)
    done = ingest(corpus, settings, rebuild=rebuild, progress=progress)
    return RagEngine.open(corpus, settings), str(done)


class Lent(Iterator[AnswerSentence | Answer]):
    """An answer as it comes, from an engine that is kept open until it has ended."""

    def __init__(self, events: Iterator[AnswerSentence | Answer], lease: AbstractContextManager[object]) -> None:
        self._events = events
        self._lease = ExitStack()
        self._lease.push(lease)

    def __next__(self) -> AnswerSentence | Answer:
        try:
            return next(self._events)
        except BaseException:
            self._lease.close()
            raise

    def close(self) -> None:
        """End it, from any thread; where another is inside, that one gives the engine back."""
        close = getattr(self._events, "close", None)
        try:
            if close is not None:
                close()
        except ValueError:  # a generator that is at work can't be closed
            return
        self._lease.close()


class Library:
    """An engine for the page that may be replaced while it is in use. Safe to use from many threads.

    The verbs that change something raise VerseError where another change is under way.
    """

    def __init__(self, engine: Engine, opener: Opener = reopen, *, allow_private: bool = False) -> None:
        self.jobs = Jobs()
        self._held = _Held(engine)
        self._opener = opener
        self._allow_private = allow_private
        self._swapping = threading.Lock()

    @property
    def corpus(self) -> Corpus:
        """The sources that are asked about now."""
        return self._held.engine.corpus

    @property
    def settings(self) -> Settings:
        """The settings of the engine that serves now."""
        return self._held.engine.settings

    def ask(self, *args: Any, **named: Any) -> Answer:
        """See Engine."""
        with self.leased() as engine:
            return engine.ask(*args, **named)

    def stream(self, *args: Any, plain: bool = False, **named: Any) -> Lent:
        """See Engine; `plain` leaves a language model out, where one is configured."""
        lease = self.leased()
        engine = lease.__enter__()
        try:
            asked = engine.with_llm(None) if plain and engine.settings.llm else engine
            return Lent(asked.stream(*args, **named), lease)
        except BaseException:
            lease.__exit__(None, None, None)
            raise

    def retrieve(self, *args: Any, **named: Any) -> list[ScoredPassage]:
        """See Engine."""
        with self.leased() as engine:
            return engine.retrieve(*args, **named)

    def with_llm(self, name: str | None) -> Engine:
        """See Engine; it ends with the engine that serves now."""
        return self._held.engine.with_llm(name)

    def corpora(self) -> list[Path]:
        """The corpus folders that can be opened here."""
        return edits.corpora(self.settings.home, self.corpus)

    def add(self, adding: Adding) -> None:
        """Begin to add files and links, and to index them."""
        edit = edits.add(self.corpus, self.settings.home, adding, allow_private=self._allow_private)
        self._begin("Adding", edit)

    def remove(self, source_id: str) -> None:
        """Begin to take a source out."""
        self._begin("Removing", edits.remove(self.corpus, source_id))

    def fetch(self) -> None:
        """Begin to download what the sources link to."""
        pages = pages_folder(self.settings)
        self._begin("Fetching linked pages", edits.fetch(self.corpus, pages, allow_private=self._allow_private))

    def rebuild(self) -> None:
        """Begin to embed everything anew."""
        self._begin("Rebuilding the index", _nothing(self.corpus.folder), rebuild=True)

    def switch(self, folder: Path) -> None:
        """Begin to open another corpus."""
        if folder not in self.corpora():
            raise VerseError(f"no corpus at {str(folder)!r}; make one by adding a file")
        self._begin("Opening", _nothing(folder))

    def close(self) -> None:
        """Stop an edit that is under way, and let go of the engine."""
        self.jobs.close()
        self._retire(self._held)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- the engine and its successor

    @contextmanager
    def leased(self) -> Iterator[Engine]:
        """The engine that serves now, kept open until the block ends."""
        with self._swapping:
            held = self._held
            held.users += 1
        try:
            yield held.engine
        finally:
            with self._swapping:
                held.users -= 1
            self._close_unused(held)

    def _retire(self, held: _Held) -> None:
        held.retired = True
        self._close_unused(held)

    def _close_unused(self, held: _Held) -> None:
        with self._swapping:
            unused = held.retired and held.users == 0
        if unused:
            held.engine.close()

    # --- edits

    def _begin(self, title: str, edit: Edit, *, rebuild: bool = False) -> None:
        self.jobs.begin(title, lambda: self._follow(edit, rebuild))

    def _follow(self, edit: Edit, rebuild: bool) -> None:
        """An edit to its end, and then the index."""
        with closing(edit):
            while True:
                try:
                    event = next(edit)
                except StopIteration as end:
                    folder: Path | None = end.value
                    break
                if isinstance(event, Outcome):
                    self.jobs.tell(event)
                else:
                    self.jobs.show(event)
        if folder is not None:
            self._index(folder, rebuild)

    def _index(self, folder: Path, rebuild: bool) -> None:
        self.jobs.show(Step("Indexing"))
        engine, done = self._opener(
            self._settings(folder), lambda n, of: self.jobs.show(Step("Indexing", n, of)), rebuild
        )
        with self._swapping:
            old, self._held = self._held, _Held(engine)
        self._retire(old)
        self.jobs.tell(Outcome("Index", done))
        for source, reason in engine.corpus.failures.items():
            self.jobs.tell(Outcome(source, reason, ok=False))

    def _settings(self, folder: Path) -> Settings:
        """The settings for a corpus; an index folder that was named is that of the corpus it was named for."""
        if self.corpus.folder is not None and folder.resolve() == self.corpus.folder.resolve():
            return self.settings
        own = None if folder.resolve() == BUILT_IN.resolve() else folder
        return self.settings.model_copy(update={"corpus": own, "index": None})


def _nothing(folder: Path | None) -> Edit:
    """The edit that changes no source: the index is made anew, or another corpus is opened."""
    if folder is None:
        raise VerseError("a corpus in memory is indexed by the program that made it")
    yield Step("Reading the sources")
    return folder
