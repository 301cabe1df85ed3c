"""The model's part of an answer, top to bottom: prompt, sentences, each one looked at, and when to give up."""

from __future__ import annotations

from collections.abc import Collection, Generator, Sequence
from dataclasses import dataclass

from corpus import Corpus
from rag.call import Call, CallEnded, LanguageModel
from rag.datatypes import AnswerSentence, DraftSentence, Evidence, Turn
from rag.errors import ModelUnavailable
from rag.generate import ASKING, CANNOT_ANSWER, SYSTEM, asks_again, generate, make_prompt
from rag.marks import EndlessText
from rag.terms import is_stop, terms, words
from rag.vet import NO_CLAIM, Check, Vetting

_MOST_SENTENCES = 8
_PATIENCE = 4  # sentences withheld in a row before the first that may be said
_REPEATS = 2
_SURVIVE = 1 / 3
# English prose has about half of its words in the list of stop words; other languages have next to none.
_ENGLISH = 0.15


@dataclass(frozen=True, slots=True)
class Written:
    """What came of it. `failure` says why it can't stand as an answer, in words that follow a colon; else empty."""

    said: tuple[DraftSentence, ...] = ()
    withheld: tuple[AnswerSentence, ...] = ()
    failure: str = ""

    @property
    def stands(self) -> bool:
        """Whether it is an answer."""
        return bool(self.said) and not self.failure


def write(
    llm: LanguageModel,
    corpus: Corpus,
    question: str,
    history: Sequence[Turn],
    evidence: Sequence[Evidence],
    check: Check,
    call: Call,
) -> Generator[DraftSentence, None, Written]:
    """Sentences that may be said, each as soon as it has been looked at. Raises CallEnded when it was stopped."""
    said: list[DraftSentence] = []
    withheld: list[AnswerSentence] = []
    failure = ""
    try:
        prompt = make_prompt(corpus, question, history, evidence, llm.context(call))
        vetting = Vetting(prompt.given, check, f"{SYSTEM}\n{ASKING}", llm.secret)
        seen: dict[str, int] = {}
        for marked in generate(llm, prompt, call):
            wording = " ".join(words(marked.text))
            seen[wording] = seen.get(wording, 0) + 1
            enough = len(said) == _MOST_SENTENCES or (not said and len(withheld) == _PATIENCE)
            if enough or seen[wording] > _REPEATS or ((said or withheld) and asks_again(marked.text, question)):
                break
            if seen[wording] > 1:
                continue
            vetted = vetting.vet(marked)
            if isinstance(vetted, AnswerSentence):
                withheld.append(vetted)
            elif not any(set(terms(vetted.text)) <= set(terms(other.text)) for other in said):
                said.append(vetted)
                yield vetted
        given = (e.text for e in prompt.given.values())
        failure = _verdict(said, withheld, {word for text in (question, *given) for word in words(text)})
    except ModelUnavailable as error:
        failure = str(error)
    except EndlessText as error:
        failure = f"it wrote {error}"
    except CallEnded:
        if call.ending != "deadline":
            raise
        failure = f"it took longer than {call.seconds:g} seconds"
    return Written(tuple(said), tuple(withheld), failure)


def _verdict(said: Sequence[DraftSentence], withheld: Sequence[AnswerSentence], known: Collection[str]) -> str:
    """Why what was written can't stand as an answer, or an empty string."""
    if not said and not withheld:
        return "it wrote nothing"
    if not said and words(withheld[0].text) == words(CANNOT_ANSWER):
        return "it found no answer in the evidence"
    texts = [*(sentence.text for sentence in said), *(sentence.text for sentence in withheld)]
    if not _is_english(words(" ".join(texts)), known):
        return "it didn't write English prose"
    firm = [sentence for sentence in said if sentence.support and sentence.support.label == "supported"]
    claims = sum(not (sentence.support and sentence.support.reason in NO_CLAIM) for sentence in withheld)
    if not firm or len(said) < _SURVIVE * (len(said) + claims):
        return "too little of what it wrote is borne out by the sources"
    return ""


def _is_english(written: Sequence[str], known: Collection[str]) -> bool:
    """Whether words are of an English text, or at least mostly those of the evidence and the question."""
    if not written or sum(word in known for word in written) > len(written) / 2:
        return True
    return sum(map(is_stop, written)) >= _ENGLISH * len(written)
