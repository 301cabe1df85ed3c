"""The model's part of an answer, top to bottom: prompt, sentences, each one looked at, and when to give up."""

from __future__ import annotations

from collections.abc import Collection, Generator, Sequence
from dataclasses import dataclass, replace

from corpus import Corpus
from rag.call import Call, CallEnded, LanguageModel
from rag.condense import SYSTEM as CONDENSE
from rag.datatypes import AnswerSentence, DraftSentence, Evidence, Turn
from rag.errors import ModelUnavailable
from rag.generate import CANNOT_ANSWER, INSTRUCTIONS, asks_again, generate, label, make_prompt
from rag.marks import EndlessText
from rag.prompt import quoted
from rag.terms import is_stop, terms, words
from rag.vet import NO_CLAIM, Check, Vetting

_MOST_SENTENCES = 8
_PATIENCE = 4  # sentences withheld in a row before the first that may be said
_REPEATS = 2
_ALIKE = 0.75
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
    basis: int,
    check: Check,
    call: Call,
) -> Generator[DraftSentence, None, Written]:
    """Sentences that may be said, each as soon as it has been looked at. The plain answer rests on the first `basis` of
    the evidence. Raises CallEnded when it was stopped."""
    said: list[DraftSentence] = []
    withheld: list[AnswerSentence] = []
    failure = ""
    try:
        worded = [replace(e, text=corpus.documents[e.passage.source_id].wording(e.sentence)) for e in evidence]
        prompt = make_prompt(corpus, question, history, worded, basis, llm.context(call))
        told = "\n".join((*INSTRUCTIONS, CONDENSE))
        labels = frozenset(quoted(label(corpus, e)).lower() for e in prompt.given.values())
        vetting = Vetting(prompt.given, check, told, llm.secret, question, labels)
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
            elif not _said_already(vetted, said):
                said.append(vetted)
                yield vetted
        given = tuple(prompt.given.values())
        known = {word for text in (question, *(e.text for e in given)) for word in words(text)}
        failure = _verdict(said, withheld, known) or _beside_the_point(said, [e for e in worded[:basis] if e in given])
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


def _beside_the_point(said: Sequence[DraftSentence], basis: Sequence[Evidence]) -> str:
    """Why true sentences are no answer: all of them ask, or the one that the plain answer begins with isn't among what
    they rest on, nor is half of what it rests on."""
    if all(sentence.text.rstrip("”\"').").endswith("?") for sentence in said):
        return "what it wrote asks instead of answering"
    cited = {e for sentence in said for e in sentence.evidence}
    met = [e in cited for e in basis]
    return "" if not met or met[0] or sum(met) >= len(met) / 2 else "what it wrote doesn't bear on the question"


def _said_already(sentence: DraftSentence, said: Sequence[DraftSentence]) -> bool:
    """Whether it adds nothing, or hardly anything to another that rests on the same evidence."""
    own = set(terms(sentence.text))
    return any(
        len(own & set(terms(other.text))) >= (_ALIKE if other.evidence == sentence.evidence else 1) * len(own)
        for other in said
    )


def _is_english(written: Sequence[str], known: Collection[str]) -> bool:
    """Whether words are of an English text, or at least mostly those of the evidence and the question."""
    if not written or sum(word in known for word in written) > len(written) / 2:
        return True
    return sum(map(is_stop, written)) >= _ENGLISH * len(written)
