"""A file becomes text with what its format knows of structure: headings, places, speakers.

Decides what kind a file is and refuses what can't be read, by name and with the cure. The formats themselves
are read in formats.py, pdf.py and spoken.py; those whose parsers a hostile file can stall run in sandbox.py.
llama-index's own readers aren't used: they give text without headings and offsets, and bring pandas.
"""

from __future__ import annotations

import codecs
import stat
from pathlib import Path
from typing import Literal

from corpus.blocks import Loaded
from corpus.errors import CorpusError

__all__ = ["KINDS", "SUFFIXES", "Kind", "Loaded", "kind_of", "load"]

Kind = Literal["text", "markdown", "html", "pdf", "docx", "srt", "vtt"]

KINDS = "plain text, Markdown, HTML, PDF, Word (.docx), subtitles (.srt, .vtt)"
SUFFIXES: dict[str, Kind] = {
    ".txt": "text",
    ".text": "text",
    ".md": "markdown",
    ".markdown": "markdown",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".pdf": "pdf",
    ".docx": "docx",
    ".srt": "srt",
    ".vtt": "vtt",
}
MAX_BYTES = 50_000_000
MAX_HTML_BYTES = 10_000_000
TIME_LIMIT = 30.0

_MAX_HERE = 1_000_000  # bytes of a plain text; what takes longer to look through goes to a child process
_MARKS = b"[*_~<`"  # the Markdown parser's time grows with the square of these
_MAX_MARKS = 20_000  # beyond them, or beyond this many bytes, Markdown too goes to the child process
_MAX_MARKDOWN = 250_000
_CONTROL_SHARE = 0.02  # of bytes that no text holds; compressed or compiled data has some ten percent
_CONTROL_BYTES = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1b") | {127})
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def load(file: Path, *, cache: Path | None = None, time_limit: float = TIME_LIMIT) -> Loaded:
    """Read a file. Raises CorpusError, naming the file and the cure.

    Plain text stays as it is but for its line ends. `cache`: a folder that keeps what the slow parsers found,
    by the hash of the file; without it PDF, DOCX and HTML are parsed at each call, in half a second or more.
    """
    try:
        data = _read_bytes(file)
        return _parse(kind_of(file.name, data), data, cache, time_limit)
    except CorpusError as error:
        raise CorpusError(f"{file} {error}") from None


def kind_of(name: str, data: bytes) -> Kind:
    """Tell a file's kind by its name's ending, or its content. Raises CorpusError."""
    named = SUFFIXES.get(Path(name).suffix.lower())
    found = _sniff(data)
    if named and found in ("pdf", "docx") and named != found:
        raise CorpusError(f"is {found.upper()} by its content; rename it to {Path(name).stem}.{found}")
    if named == "pdf" and found != "pdf":
        raise CorpusError("is not a PDF by its content, or its beginning is lost; download or export it again")
    return named or found or "text"


def _read_bytes(file: Path) -> bytes:
    try:
        status = file.stat()
        if not stat.S_ISREG(status.st_mode):
            raise CorpusError("is not a file; name a file that holds a text")
        with file.open("rb") as opened:
            data = opened.read(MAX_BYTES + 1)  # a file may grow, and some say that they are empty
        if len(data) > MAX_BYTES:
            size = max(status.st_size, len(data)) // 1_000_000
            raise CorpusError(f"is too large ({size} MB, limit {MAX_BYTES // 1_000_000} MB); split it")
        return data
    except FileNotFoundError:
        raise CorpusError("is missing; put the text there or take its source out of the manifest") from None
    except OSError as error:
        raise CorpusError(f"can't be read: {error.strerror}; mend its permissions or copy it again") from None
    except ValueError:  # a NUL in the name
        raise CorpusError("has no name that a file can have; name another") from None


def _sniff(data: bytes) -> Kind | None:
    start = data[:1024]
    text = start.removeprefix(codecs.BOM_UTF8).lstrip()
    if b"%PDF-" in start:
        return "pdf"
    if start.startswith(b"PK\x03\x04") and b"word/" in data:
        return "docx"
    if text.startswith(b"WEBVTT"):
        return "vtt"
    if text.lower().startswith((b"<!doctype html", b"<html")):
        return "html"
    return None


def _parse(kind: Kind, data: bytes, cache: Path | None, time_limit: float) -> Loaded:
    from corpus import sandbox  # noqa: PLC0415  subprocess and its like, which plain texts don't need

    if not data.strip():
        raise CorpusError("is empty; put the text there or take its source out of the manifest")
    if kind == "html" and len(data) > MAX_HTML_BYTES:
        raise CorpusError(f"is too large for a page (over {MAX_HTML_BYTES // 1_000_000} MB); save its text alone")
    if kind == "docx" and data.startswith(b"\xd0\xcf\x11\xe0"):
        raise CorpusError("is protected by a password, or an old .doc; save it as .docx without a password")
    if kind == "html" and not _is_utf8(data) and b"charset" not in data[:4096].lower():
        decode(data)  # says which encoding it looks like
    if kind in ("pdf", "docx", "html") or len(data) > _MAX_HERE or (kind == "markdown" and _is_heavy(data)):
        loaded = sandbox.parse_in_child(kind, data, cache, time_limit)
    else:
        loaded = parse_here(kind, data)
    if not loaded.text.strip():
        raise CorpusError("holds no text to read; put the text there or take its source out of the manifest")
    return loaded


def _is_heavy(data: bytes) -> bool:
    return len(data) > _MAX_MARKDOWN or len(data) - len(data.translate(None, _MARKS)) > _MAX_MARKS


def parse_here(kind: Kind, data: bytes) -> Loaded:
    """Read in this process and without limits. Raises CorpusError; a parser may raise what it likes."""
    from corpus import formats, pdf, spoken  # noqa: PLC0415  sandbox.py calls this too, in the child

    if kind == "pdf":
        return pdf.read_pdf(data)
    if kind == "docx":
        return formats.read_docx(data)
    if kind == "html":
        return formats.read_html(data, utf8=_is_utf8(data))
    text = decode(data)
    if kind == "srt" or kind == "vtt":
        return spoken.read_subtitles(text, kind)
    return spoken.with_turns(formats.read_markdown(text) if kind == "markdown" else Loaded(text))


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    return True


def decode(data: bytes) -> str:
    """Decode a text file and make its line ends LF. Raises CorpusError, with the encoding it looks like."""
    encoding = next((name for bom, name in _BOMS if data.startswith(bom)), "utf-8")
    if encoding.startswith("utf-8"):
        _refuse_binary(data)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise CorpusError(f"is not {encoding.upper()} (byte {error.start}); {_convert(data)}") from None
    if "\0" in text:
        raise CorpusError("is not a text file (it holds NUL characters); save it as UTF-8 text")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _refuse_binary(data: bytes) -> None:
    controls = len(data) - len(data.translate(None, _CONTROL_BYTES))
    if b"\0" in data or controls > _CONTROL_SHARE * len(data):
        pairs = data[: len(data) // 2 * 2]
        if min(pairs[::2].count(0), pairs[1::2].count(0)) == 0 and data.count(0) > len(data) / 4:
            order = "UTF-16BE" if data[0] == 0 else "UTF-16LE"
            raise CorpusError(f"is not UTF-8; it looks like {order}; convert it: iconv -f {order} -t UTF-8 IN > OUT")
        raise CorpusError(f"is not a text file (it holds binary data); the kinds that can be read are {KINDS}")


def _convert(data: bytes) -> str:
    from charset_normalizer import from_bytes  # noqa: PLC0415  only when something is wrong

    guess = from_bytes(data[:100_000]).best()
    if guess is None:
        return "save it as UTF-8"
    return f"it looks like {guess.encoding}; convert it: iconv -f {guess.encoding} -t UTF-8 IN > OUT"
