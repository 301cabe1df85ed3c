"""What we read. Knows nothing of retrieval."""

from corpus.document import Document, Section, Sentence
from corpus.errors import CorpusError, VerseError
from corpus.manifest import BUILT_IN, Corpus, Source

__all__ = ["BUILT_IN", "Corpus", "CorpusError", "Document", "Section", "Sentence", "Source", "VerseError"]
