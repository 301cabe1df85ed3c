"""Subtitles (SRT, VTT) and speaker-labelled transcripts -> text, with who speaks and when.

A message raised here completes the sentence that `loaders.load` begins with the file's name.
"""

from __future__ import annotations

import html
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from corpus.blocks import Block, Loaded, assemble
from corpus.document import Span
from corpus.errors import CorpusError

_PARAGRAPH = 500  # characters after which a sentence's end closes a paragraph; no longer than twice that
_PAUSE = 4.0  # seconds of silence that close a paragraph

_TAG = re.compile(r"</?[A-Za-z\d][^<>]*>|\{\\[^{}]*\}")
_VOICE = re.compile(r"<v(?:\.[^\s<>]*)?\s+([^<>]+)>")
_TIME = r"[\[(]?(?P<{0}>\d{{1,2}}:\d\d(?::\d\d)?)(?:[.,]\d+)?[\])]?"
_NAME = r"(?P<{0}>[^\W\d_][\w.'’-]{{0,30}}(?: [^\W_][\w.'’-]{{0,30}}){{0,4}})"
_MARK = r"[*_]{0,2}"  # Markdown's bold
_TURN = re.compile(
    rf"^[ \t]*(?:{_TIME.format('t1')}[ \t]*[-–—]?[ \t]*)?(?:>>[ \t]*)?{_MARK}{_NAME.format('n1')}{_MARK}"
    rf"(?:[ \t]*{_TIME.format('t2')})?{_MARK}:{_MARK}(?=[ \t]|$)"
    rf"|^[ \t]*{_MARK}{_NAME.format('n2')}{_MARK}[ \t]+{_TIME.format('t3')}[ \t]*$",
    re.MULTILINE,
)
# Words before a colon that open a line again and again without anybody speaking.
_LABELS = frozenset(
    "abstract address age answer author background caution chapter claim company conclusion cons "
    "context date definition edit editor email example fact figure finding from goal hint hypothesis "
    "important input key location name note notes objective option output part phone price problem pros "
    "publisher question reason reference references remark result results role rule section see size "
    "solution source sources status step subject summary table task theorem time tip title to topic "
    "type update url verdict version via warning website year".split()
)


@dataclass(frozen=True, slots=True)
class _Cue:
    start: float
    end: float
    speaker: str
    text: str


def read_subtitles(text: str, kind: Literal["srt", "vtt"]) -> Loaded:
    """Join cues to paragraphs; `places` are their times, `speakers` those they name. Raises CorpusError."""
    import webvtt  # noqa: PLC0415  plain texts don't pay for it
    from webvtt.errors import MalformedCaptionError, MalformedFileError  # noqa: PLC0415

    try:
        captions = webvtt.from_buffer(io.StringIO(text.lstrip()), format=kind).captions
    except (MalformedFileError, MalformedCaptionError) as error:
        raise CorpusError(f"is no {kind.upper()} that can be read ({error}); export the subtitles again") from None
    cues = [
        _Cue(_seconds(caption.start), _seconds(caption.end), speaker, said)
        for caption in captions
        for speaker, said in _voices(caption.raw_text)
    ]
    return assemble(_paragraphs(_by_prefix(_unrolled(cues))))


def _seconds(time: str) -> float:
    hours, minutes, seconds = time.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 3600:02d}:{int(seconds) // 60 % 60:02d}:{int(seconds) % 60:02d}"


def _voices(raw: str) -> Iterator[tuple[str, str]]:
    """(speaker, text) of a cue, one for each voice tag in it; lines stay apart."""
    pieces = ["", *_VOICE.split(raw)]
    for speaker, said in zip(pieces[::2], pieces[1::2], strict=True):
        lines = [" ".join(html.unescape(_TAG.sub("", line)).split()) for line in said.splitlines()]
        if any(lines):
            yield " ".join(html.unescape(speaker).split()), "\n".join(filter(None, lines))


def _unrolled(cues: Sequence[_Cue]) -> list[_Cue]:
    """Say once what rolling captions say twice: each cue repeats the line before, where most cues do."""
    if len(cues) < 3:
        return list(cues)
    ends = [""] + [cue.text.rsplit("\n", 1)[-1] for cue in cues[:-1]]
    rolling = [cue.text == end or cue.text.startswith(end + "\n") for cue, end in zip(cues, ends, strict=True)]
    if sum(rolling) <= len(cues) / 2:
        return list(cues)
    unrolled = [
        replace(cue, text=cue.text[len(end) :].strip()) if repeats and end else cue
        for cue, end, repeats in zip(cues, ends, rolling, strict=True)
    ]
    return [cue for cue in unrolled if cue.text]


def _by_prefix(cues: Sequence[_Cue]) -> list[_Cue]:
    """Cues whose text begins with "Name:" lose that and gain a speaker, where the file does so throughout."""
    text = "\n".join(cue.text for cue in cues)
    if any(cue.speaker for cue in cues) or not _turns(text):
        return list(cues)
    labelled: list[_Cue] = []
    for cue in cues:
        start, speaker = 0, labelled[-1].speaker if labelled else ""
        for match in _TURN.finditer(cue.text):
            if match["n1"] and _is_name(match["n1"]):
                labelled.append(replace(cue, speaker=speaker, text=cue.text[start : match.start()].strip()))
                start, speaker = match.end(), match["n1"].strip()
        labelled.append(replace(cue, speaker=speaker, text=cue.text[start:].strip()))
    return [cue for cue in labelled if cue.text]


def _paragraphs(cues: Sequence[_Cue]) -> Iterator[Block]:
    length, last = 0, None
    for cue in cues:
        ended = last is not None and last.text.endswith((".", "?", "!", "…", "”", '"'))
        fresh = last is None or (
            cue.speaker != last.speaker
            or cue.start - last.end > _PAUSE
            or (length > _PARAGRAPH and ended)
            or length > 2 * _PARAGRAPH
        )
        length = len(cue.text) if fresh else length + len(cue.text)
        text = cue.text.replace("\n", " ")
        yield Block(text, place=_clock(cue.start), speaker=cue.speaker, before="\n\n" if fresh else " ")
        last = cue


def with_turns(loaded: Loaded) -> Loaded:
    """Add the speakers and times of its turns to a text, where it is a transcript.

    A turn begins with "Name: ...", "[00:01:02] Name: ...", "**Name:** ..." or a line "NAME  00:12:31". It
    takes three of them, and a name that comes back, so that prose with a colon isn't taken for speech.
    """
    text = loaded.text
    turns = _turns(text)
    ends = [turn.start() for turn in turns[1:]] + [len(text)]
    speakers = [Span(_name(turn), turn.start(), _trim(text, end)) for turn, end in zip(turns, ends, strict=False)]
    timed = [(turn.start(), time) for turn in turns if (time := turn["t1"] or turn["t2"] or turn["t3"])]
    until = [start for start, _ in timed[1:]] + [len(text)]
    places = [Span(_time(time), start, end) for (start, time), end in zip(timed, until, strict=False)]
    return replace(loaded, speakers=tuple(speakers), places=tuple(places)) if turns else loaded


def _turns(text: str) -> list[re.Match[str]]:
    """Where a turn begins; none unless the text is a transcript."""
    turns = [match for match in _TURN.finditer(text) if _is_name(_name(match))]
    counts = Counter(map(_name, turns))
    recurring = sum(n for n in counts.values() if n > 1)
    return turns if len(turns) >= 3 and recurring >= len(turns) / 2 else []


def _name(turn: re.Match[str]) -> str:
    return str(turn["n1"] or turn["n2"])


def _is_name(name: str) -> bool:
    if re.fullmatch(r"(?i:speaker|voice|participant|interviewe[er])[ _-]?\d{0,3}", name):
        return True
    words = name.split()
    capital = words[0][0].isupper() and words[-1][0].isupper()
    return capital and len(name) > 1 and words[0].lower() not in _LABELS and not re.search(r"[\d_]", name)


def _time(time: str) -> str:
    parts = [int(part) for part in time.split(":")]
    hours, minutes, seconds = parts if len(parts) == 3 else [0, *parts]
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}"


def _trim(text: str, end: int) -> int:
    while text[end - 1].isspace():
        end -= 1
    return end
