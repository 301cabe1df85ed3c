"""Who holds each sentence: the guest, the host, the article itself, a named critic.

Rules over cues of English prose. What is peculiar to a text comes from its manifest: the people with their
parts, and the voice of the text's own narration (the default). The first of these that speaks decides:

1. a transcript's speaker, or the label of the paragraph ("Name (Role): ...");
2. for a whole quotation: whoever is introduced, else the guest;
3. a comment of the text's own ("From a practical standpoint");
4. a report ("X argues that", "according to X", "her hunch is that");
5. a remark on what was said ("This argument rests on") or on a person ("X was born in");
6. the voice before it, as far as that one carries: the guest's through the section, a critic's to the end
   of the paragraph, the host's not at all; nothing in sections that judge or sum up.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Protocol

from corpus.document import Document, Sentence, Span


class Person(Protocol):
    """Someone that a corpus names; `role` is guest, host, critic, researcher or other."""

    @property
    def name(self) -> str:
        """The full name, which becomes the voice."""
        ...

    @property
    def aliases(self) -> tuple[str, ...]:
        """Shorter forms of it."""
        ...

    @property
    def role(self) -> str:
        """The part that the person has in the corpus."""
        ...


# Verbs of saying and thinking; those as common for deeds are left out ("assume", "refuse", "present").
_SAYING = """acknowledge add admit advise advocate affirm agree allege announce answer anticipate argue
ascribe ask assert attribute believe blame call caution cite claim clarify comment compare complain concede
conclude confess conjecture consider contend contrast counter credit criticise criticize declare define deny
describe disagree dismiss dispute distinguish doubt elaborate emphasise emphasize envisage envision estimate
expect explain express favor favour fear find flag forecast foresee grant guess highlight hold hope
hypothesise hypothesize identify imagine imply infer insist interpret joke judge lament liken maintain mention
muse name note object observe outline point ponder posit predict prefer proclaim propose protest question quip
quote reason recall reckon recommend reconsider reflect regard reiterate reject remark remember remind reply
respond retort reveal say see speculate state stress suggest summarise summarize suppose suspect tell theorise
theorize think urge view voice vow want warn wish wonder worry write"""
_IRREGULAR = "said told thought held found saw seen wrote written foresaw foreseen put puts"
_RESEARCHING = """analyse analyze compare demonstrate document evaluate examine investigate measure prove show
study test"""
# A guest in the present tense is being retold ("She opens with"), but for deeds, states and verdicts on her.
_NOT_TOLD = """is has was does seems appears remains deserves lacks ignores overlooks neglects fails misses
overstates understates treats omits lives works leads runs owns becomes serves continues hosts always perhaps
sometimes besides"""
# What a person can have, give or offer when that person's words are retold.
_SPEECH = """account advice analogy angle answer argument arithmetic aim belief bet case claim comment
comparison complaint conclusion conjecture conviction counterpart criticism definition diagnosis distinction
estimate example explanation factor fear forecast guess hope hunch hypothesis hypotheses idea intuition
judgement judgment line message metaphor objection observation opinion point position prediction premise
principle proposal question reason reasoning reply response rule scenario statement story suggestion suspicion
take thesis theory verdict view vision warning worry"""
# What a text says "this" or "these" of when it speaks about somebody's words.
_TALK = """analogies analogy answer argument article assertion assessment claim conversation criticism
discussion episode essay exchange framing interview judgement judgment narrative podcast prediction premise
reason reasoning statement"""


def _any(words: Iterable[str]) -> str:
    return "(?:" + "|".join(sorted(set(words))) + r")\b"


def _forms(words: str) -> Iterator[str]:
    """Each word with its regular endings; some of the forms are no words, which does no harm."""
    for word in words.split():
        stem = word[:-1] if word[-1] in "ey" else word
        yield from (word, word + "s", word + "es", stem + "ies", stem + "ed", stem + "ied")
        yield from (stem + "ing", word + "ing")


_SAY = _any([*_forms(_SAYING), *_IRREGULAR.split()])
_SAYING_NOW = _any(form for form in _forms(_SAYING) if form.endswith("ing"))
_NOUN = _any(form for word in _SPEECH.split() for form in (word, word + "s", word + "es", word[:-1] + "ies"))
_ADVERB = (
    r"(?:[ ,]{1,2}(?:himself|herself|also|then|now|once|later|still|never|even|often|again|further|thus|"
    r"instead|however|too|first|just|only|not|[a-z]+ly)\b,?)*"
)
# Between a name and its verb: co-authors, an affiliation, "(role)", ", who once taught Y,", adverbs.
_ASIDE = (
    r"(?:(?:,|,? and) [A-Z][\w.’-]+(?: [A-Z][\w.’-]+){0,2}){0,6}"
    r"(?: and (?:colleagues|others|co-?authors))?(?: of [A-Z][\w’-]+(?: [A-Z][\w’-]+){0,3})?"
    rf"(?: \([^)]*\)|, [^,;:.]{{1,70}},|,)?{_ADVERB}"
)
_HELPED = rf"(?: (?:has|had|have|does|did|do|can|could)(?:n['’]t)?{_ADVERB})?"
# What makes a sentence a report, after its subject: a verb of saying, a conviction, "would",
# words offered ("gave two reasons"), "uses it to argue", a second verb ("laughed and said that").
_REPORTS = re.compile(
    rf"{_ASIDE}(?:{_HELPED} (?:{_SAY}|accept(?:s|ed)? that\b)"
    rf"| (?:is|was){_ADVERB} (?:{_SAYING_NOW}|(?:"
    r"adamant|certain|confident|convinced|doubtful|optimistic|pessimistic|sc?k?eptical|sure|unsure|worried)\b)"
    r"| would(?: not|n['’]t)? [a-z]+"
    r"| (?:gives?|gave|offers?|offered|makes?|made|draws?|drew|raises?|raised|provides?|provided|presents?|"
    r"presented|introduces?|introduced|paints?|painted|poses?|posed|does|did) "
    rf"(?:[\w“”’-]+ ){{0,6}}?{_NOUN}"
    rf"| (?:uses?|used|invokes?|invoked|goes|went) [^.;]{{0,80}}?to {_SAY}"
    rf"| [^,;:.“]{{1,50}}? and {_ADVERB} ?{_SAY} (?:that|how|why|whether|“))"
)
_RESEARCHES = re.compile(rf"{_ASIDE}{_HELPED} {_any(_forms(_RESEARCHING))}")
_RETOLD = re.compile(rf"{_ASIDE} (?:(?!{_any(_NOT_TOLD.split())})[a-z][a-z-]*[a-rt-z]s\b|does (?!not))")
# After "X's": a noun of speech and what it says, not what somebody thinks of it ("X's claim is weak").
_POSSESSES = re.compile(
    rf"(?: [\w“”’-]+){{0,3}}? (?:(?i:{_NOUN})(?: (?!is |was )[\w’-]+){{0,4}}? (?:goes\b|went\b|{_SAY}"
    r"|(?:is|are|was|were)(?::| [“\"]| (?:that|to|simply|clear|simple|how|why|what|whether)\b))"
    r"|(?:answer|reply|response|question) (?:is|was)(?! (?:weak|wrong|flawed|too|less|more|not|about)\b))"
)
_FRAMED = re.compile(r"(?:^|[,;:–—] )(?:but |and |yet )?(?:in|by|on|from) $", re.IGNORECASE)
_FRAMES = re.compile(r"(?: [\w-]+){0,2} (?:view|framework|account|analysis|opinion|telling|words|reading|eyes)\b")
_ACCORDING = re.compile(
    r"(?:according to|as told by|in the (?:words|view|opinion) of)(?: [\w-]+){0,3} $", re.IGNORECASE
)
_INVERTED = re.compile(rf"”,? ?(?:{_SAY} (?:[\w-]+ ){{0,3}}|[–—-]+ )$")
# A short sentence after a quotation that only says whose it is: "she said after a while."
_TAG = re.compile(r" (?:add|answer|ask|explain|insist|joke|recall|repl[iy]|sa[iy]|wr[io]t)\w*\b[^“”:]{0,40}$")

# These are searched in lower case. A comment is the text's own whatever it reports; a remark is, unless it
# reports; a doubt is even when the guest is its subject ("He shrugs – this may be tact").
_COMMENT = re.compile(
    r"\bfrom an? [\w-]+ (?:standpoint|perspective|point of view)\b|\bbut in (?:fact|practice|reality)\b"
    r"|\bwe (?:must|should|ought to) (?:also )?(?:acknowledge|admit|ask|be|bear|concede|note|recogni[sz]e|"
    r"remember)\b"
    r"|\b(?:to be fair|in fairness)\b"
)
_DOUBT = re.compile(r"(?:^|[–—;:,] )(?:this|that|it) (?:may|might|could) (?:\w+ )?be\b")
_REMARK = re.compile(
    rf"^(?:but |and |yet |so )?(?:this|these|those|such|both)(?: \w+){{0,2}} {_any(_forms(_TALK))}"
    r"|^(?:but |and |so |yet |still, )?(?:i|my)\b|\bthe (?:audience|hosts|studio)\b"
    r"|\b(?:listeners|readers|viewers)\b|\bhistorically\b|\bconsensus\b|\bdeserves?\b"
    r"|^this (?:also )?(?:exposes|explains|highlights|illustrates|raises|reflects|reveals|shows|underlines)\b"
    r"|^this is (?:the|a) (?:classic|familiar|standard|textbook|well-known)\b|^it also (?:explains|shows)\b"
    r"|\b(?:the|this) (?:article|conversation|episode|essay|interview|podcast)\b"
    r"|\b(?:critics|s[kc]eptics?|s[kc]eptical)\b|\bworth (?:asking|noting|remembering)\b"
    r"|\b(?:academic|empirical|independent|scientific) (?:evidence|research|studies|work)\b"
    r"|\bmost (?:\w+ ){0,2}(?:analysts|economists|experts|observers|researchers|scientists)\b"
    r"|\b(?:index|paper|report|review|study|survey)\b[^.;]{0,40} "
    r"(?:confirm|demonstrate|find|found|note|report|show|suggest)(?:s|ed|n)?\b"
    r"|[$€£]\s?\d|\b(?:january|february|march|april|may|june|july|august|september|october|november|"
    r"december) (?:\d\d?, )?\d{4}\b"
)
_DENIAL = re.compile(r"(?:but )?(?:this|that) (?:is|was)(?:n['’]t| not)\b")
# Headings of sections in which the text speaks for itself.
_OWN_SECTION = re.compile(
    r"^(?:\w+\s+)?(?:analysis|background|commentary|conclusions?|editorial(?: \w+)?|fact[ -]?check\w*|notes?|"
    r"overview|profile|references|sources?|summary|(?:key )?take-?aways?|verdict)$",
    re.IGNORECASE,
)
# Quotations are masked before cues are sought; one that a sentence opens or closes alone reaches to its end.
_QUOTED = re.compile(r"^[^“”]*”|“[^“”]*(?:”|$)|\"[^\"]*(?:\"|$)")
_CLAUSE = re.compile(r"[,;:–—()“”]")
# A name after one of these stands in a subordinate clause, which doesn't say whose the sentence is.
_SUBORDINATING = frozenset(
    """although because before how if since than that though unless until when where whether which while who
    whom whose why""".split()
)
_PREPOSITIONS = frozenset("about against among and at between by for from in like of on or through to with".split())
_POSSESSIVES = frozenset(("his", "His", "her", "Her"))


@dataclass(frozen=True)
class _Cast:
    """The people of a corpus, ready to be found in a text."""

    names: dict[str, str]  # every form of a name -> the full name
    labels: dict[str, str]  # the same in small letters: transcripts like capitals
    roles: dict[str, str]  # full name -> role
    named: re.Pattern[str]
    mention: re.Pattern[str]  # a name, or a pronoun that stands for one; then "'s"
    label: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class _Stage:
    """What holds for a whole section."""

    cast: _Cast
    default: str
    lead: str | None  # whom a pronoun means when nobody was named
    retold: bool  # the lead is a guest, whose words the narration reports unless it says otherwise
    owner: str | None = None  # whose views the heading announces ("What Hinton argues")
    judging: bool = False  # the text speaks for itself here; nothing carries


@dataclass(frozen=True, slots=True)
class _Floor:
    """Who has the floor after a sentence."""

    voice: str  # the sentence's own
    holder: str  # the next one's, if nothing in it says otherwise
    focus: str | None  # whom "he" or "she" means
    text: str = ""  # the sentence


def assign_voices(
    document: Document, people: Sequence[Person], default: str, speakers: Sequence[Span] = ()
) -> Document:
    """Fill in the voice of every sentence: a full name of `people`, or `default`.

    `speakers` are a transcript's. They win over all else, and one that `people` doesn't know keeps its name.
    """
    cast = _cast(tuple((person.name, tuple(person.aliases), person.role) for person in people))
    if speakers or cast.named.search(document.text):
        voices = _read(document, cast, default, sorted(speakers, key=lambda span: span.start))
    else:
        voices = iter([default] * len(document.sentences))
    return replace(
        document,
        sentences=tuple(replace(s, voice=voice) for s, voice in zip(document.sentences, voices, strict=True)),
    )


@lru_cache(maxsize=16)
def _cast(people: tuple[tuple[str, tuple[str, ...], str], ...]) -> _Cast:
    """Compile the names, and the surnames that only one person has."""
    surnames = Counter(name.split()[-1] for name, _, _ in people)
    names = {name: name for name, _, _ in people}
    for name, aliases, _ in people:
        surname = name.split()[-1]
        for form in (*aliases, *([surname] if surnames[surname] == 1 and len(surname) > 2 else [])):
            names.setdefault(form, name)
    forms = "|".join(re.escape(form) for form in sorted(names, key=len, reverse=True)) or "(?!)"
    return _Cast(
        names,
        {form.lower(): name for form, name in names.items()},
        {name: role for name, _, role in people},
        re.compile(rf"\b(?:{forms})(?![\w-])"),
        re.compile(rf"\b({forms}|[Hh]e|[Ss]he|[Hh]is|[Hh]er)(?![\w-])(['’]s?(?= ))?"),
        re.compile(rf"[\W\d]*((?i:{forms}))[*_]*(?: \([^)]*\)|, [^:.!?]{{1,60}})?[*_]*(?: ?:| [–—] )"),
    )


def _read(document: Document, cast: _Cast, default: str, speakers: Sequence[Span]) -> Iterator[str]:
    """Yield the voice of each sentence in turn."""
    lead, retold = _lead(document.text, cast)
    bare = stage = _Stage(cast, default, lead, retold)
    floor, labelled, section, paragraph, turn = _Floor(default, default, lead), None, None, -1, 0
    texts = [document.text[s.start : s.end] for s in document.sentences]
    for i, (sentence, text) in enumerate(zip(document.sentences, texts, strict=True)):
        opens = sentence.paragraph != paragraph
        if sentence.section != section:
            stage = _enter(bare, document.section_by_label[sentence.section].title)
            floor = _Floor(default, stage.owner or default, stage.owner or lead)
        elif opens:
            floor = _next_paragraph(stage, floor)
        if opens:
            label = cast.label.match(text)
            labelled = cast.labels.get(label[1].lower()) if label else None
        section, paragraph = sentence.section, sentence.paragraph
        while turn < len(speakers) and speakers[turn].end < sentence.end:
            turn += 1
        if turn < len(speakers) and speakers[turn].start < sentence.end:
            yield cast.labels.get(speakers[turn].name.lower(), speakers[turn].name)
        elif labelled or sentence.kind == "row":
            yield labelled or default
        else:
            last = i + 1 == len(texts) or document.sentences[i + 1].paragraph != paragraph
            floor = _hear(stage, floor, sentence, text, opens, "" if last else texts[i + 1])
            yield floor.voice


def _lead(text: str, cast: _Cast) -> tuple[str | None, bool]:
    """Whom the text is mostly about, and whether that is a guest whose conversation it retells."""
    counts = Counter(cast.names[match.group()] for match in cast.named.finditer(text))
    if not counts:
        return None, False
    ranked = counts.most_common(2)
    guest = max((name for name in counts if cast.roles[name] == "guest"), key=counts.__getitem__, default=None)
    if guest and 2 * counts[guest] >= ranked[0][1]:
        return guest, True
    clear = len(ranked) == 1 or ranked[0][1] >= 2 * ranked[1][1]
    return (ranked[0][0] if clear else None), False


def _enter(stage: _Stage, title: str) -> _Stage:
    """Set the stage for a section by its heading."""
    person = next((m for m in stage.cast.mention.finditer(title) if m[1] in stage.cast.names), None)
    if person is None:
        return replace(stage, judging=bool(_OWN_SECTION.match(title)))
    owns = not person[2] and _leads(title, person) and _REPORTS.match(title, person.end())
    return replace(stage, owner=stage.cast.names[person[1]] if owns else None)


def _next_paragraph(stage: _Stage, floor: _Floor) -> _Floor:
    carries = stage.retold and floor.holder == stage.lead and not stage.judging
    holder = floor.holder if carries else stage.owner or stage.default
    return replace(floor, holder=holder, focus=stage.owner or stage.lead or floor.focus)


def _hear(stage: _Stage, floor: _Floor, sentence: Sentence, text: str, opens: bool, following: str) -> _Floor:
    """Give the floor to whoever holds this sentence; `following` is the next one of its paragraph."""
    if sentence.kind == "quote":
        voice, focus = _quoted(stage, floor, text, opens, following), floor.focus
    else:
        voice, focus = _narrated(stage, floor, _QUOTED.sub("“”", text), opens)
    role = stage.cast.roles.get(voice)
    focus = voice if role else focus
    if stage.lead and stage.cast.roles.get(focus or "") == "host":  # "Ana asks. He says ..." is the guest
        focus = floor.focus
    return _Floor(voice, stage.default if role == "host" or stage.judging else voice, focus, text)


def _quoted(stage: _Stage, floor: _Floor, text: str, opens: bool, following: str) -> str:
    """Whose a whole quotation is: whoever is named beside it, or spoke just before; else the guest's."""
    tag = stage.cast.mention.match(following)
    if tag and _TAG.match(following, tag.end()):
        return stage.cast.names.get(tag[1], floor.focus or stage.default)
    role = stage.cast.roles.get(floor.voice)
    asked = role == "host" and "?" in text[-2:]
    goes_on = not opens and (role != "host" or "”" in floor.text)
    if role and (asked or goes_on or floor.text.endswith(":")):
        return floor.voice
    if stage.retold and stage.lead:
        return stage.lead
    return stage.owner or (floor.voice if role else stage.default)


def _narrated(stage: _Stage, floor: _Floor, text: str, opens: bool) -> tuple[str, str | None]:
    """(voice, focus) of a sentence of prose whose quotations are masked."""
    reporter, retold, subject = _find_report(stage, floor, text)
    focus = subject or floor.focus
    if not reporter and not retold and floor.holder == stage.default:
        return stage.default, focus
    lowered = text.lower()
    if _COMMENT.search(lowered):
        return stage.default, focus
    if reporter:
        return reporter, focus
    doubted = _DOUBT.search(lowered)
    if retold and not stage.judging and not doubted:
        return retold, focus
    remarks = doubted or _REMARK.search(lowered) or (opens and _DENIAL.match(lowered))
    named = {stage.cast.names[match.group()] for match in stage.cast.named.finditer(text)}
    return (stage.default if subject or remarks or floor.holder in named else floor.holder), focus


def _find_report(stage: _Stage, floor: _Floor, text: str) -> tuple[str | None, str | None, str | None]:
    """(who says so by a verb of saying, who does by the present tense, the first subject) of a sentence."""
    retold = subject = None
    for mention in stage.cast.mention.finditer(text):
        who = stage.cast.names.get(mention[1], floor.focus)
        if who is None:
            continue
        if _reports(stage, text, mention, who):
            return who, None, who
        if not _leads(text, mention):
            continue
        if mention[1] in stage.cast.names or mention.start() == 0:
            subject = subject or who
        told = (stage.retold and stage.cast.roles.get(who) in ("guest", "host")) or who == stage.owner
        if told and not _possessive(mention) and _RETOLD.match(text, mention.end()):
            retold = retold or who
    return None, retold, subject


def _reports(stage: _Stage, text: str, mention: re.Match[str], who: str) -> bool:
    """Whether the sentence says, at this mention, that this person says something."""
    before, end = _before(text, mention), mention.end()
    if _ACCORDING.search(before) or _INVERTED.search(before):
        return True
    if _possessive(mention) and _FRAMED.search(before) and _FRAMES.match(text, end):
        return True
    if not _leads(text, mention):
        return False
    if _possessive(mention):
        return bool(_POSSESSES.match(text, end))
    researches = stage.cast.roles.get(who) == "researcher" and _RESEARCHES.match(text, end)
    return bool(researches or _REPORTS.match(text, end))


def _before(text: str, mention: re.Match[str]) -> str:
    """Cut what stands before a name, as far as a cue can reach: a sentence may be a whole book."""
    return text[max(0, mention.start() - 160) : mention.start()]


def _possessive(mention: re.Match[str]) -> bool:
    return bool(mention[2]) or mention[1] in _POSSESSIVES


def _leads(text: str, mention: re.Match[str]) -> bool:
    """Whether a name stands as the subject of a main clause."""
    words = _CLAUSE.split(_before(text, mention))[-1].lower().split()
    near = len(words) <= 8 and not (words and words[-1] in _PREPOSITIONS)
    return near and not _SUBORDINATING.intersection(words)
