"""What we read. Knows nothing of retrieval."""

from corpus.document import Document, Section, Sentence
from corpus.errors import CorpusError, VerseError
from corpus.manifest import Corpus, Source

__all__ = ["Corpus", "CorpusError", "Document", "Section", "Sentence", "Source", "VerseError"]
