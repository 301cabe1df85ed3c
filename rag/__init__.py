"""The door: ask a corpus, get an answer whose every sentence is cited.

import rag
with rag.open_engine() as engine:
    print(engine.ask("Why is scaling over?").text)
"""

from corpus import CorpusError
from rag.datatypes import (
    Answer,
    AnswerSentence,
    Citation,
    Note,
    Passage,
    ScoredPassage,
    Support,
)
from rag.engine import Engine, open_engine
from rag.errors import IndexMismatch, IndexMissing, ModelUnavailable, QuestionError, SettingsError
from rag.support import check_support

__all__ = [
    "Answer",
    "AnswerSentence",
    "Citation",
    "CorpusError",
    "Engine",
    "IndexMismatch",
    "IndexMissing",
    "ModelUnavailable",
    "Note",
    "Passage",
    "QuestionError",
    "ScoredPassage",
    "SettingsError",
    "Support",
    "check_support",
    "open_engine",
]
