"""What we read. Knows nothing of retrieval."""

from corpus.corpus import Corpus
from corpus.document import Document, Section, Sentence
from corpus.errors import CorpusError, CorpusUnreadable, VerseError
from corpus.manifest import BUILT_IN, Source

__all__ = [
    "BUILT_IN",
    "Corpus",
    "CorpusError",
    "CorpusUnreadable",
    "Document",
    "Section",
    "Sentence",
    "Source",
    "VerseError",
]
