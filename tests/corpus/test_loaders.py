"""Files of every kind become text with exact places, or an error that names the file and the cure."""

from __future__ import annotations

import io
import os
import random
import subprocess
import sys
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import docx
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from fpdf import FPDF, XPos, YPos
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpus.errors import CorpusError
from corpus.loaders import MAX_BYTES, MAX_HTML_BYTES, Kind, Loaded, kind_of, load, parse_here
from corpus.sandbox import forget_unused

ROOT = Path(__file__).parents[2]
ARTICLE = ROOT / "corpus" / "texts" / "article.txt"


def read(kind: Kind, text: str) -> Loaded:
    return sound(parse_here(kind, text.encode()))


def sound(loaded: Loaded) -> Loaded:
    """Every span lies in the text, and places and speakers are sorted and apart."""
    for heading in loaded.headings or ():
        assert loaded.text[heading.start : heading.end] == heading.title
        assert 1 <= heading.level <= 6
    for spans in (loaded.headings or (), loaded.places, loaded.speakers):
        end = 0
        for span in spans:
            assert end <= span.start < span.end <= len(loaded.text)
            end = span.end
    loaded.text.encode()
    return loaded


def said(loaded: Loaded) -> list[tuple[str, str]]:
    return [(span.name, loaded.text[span.start : span.end]) for span in loaded.speakers]


def placed(loaded: Loaded) -> list[tuple[str, str]]:
    return [(span.name, loaded.text[span.start : span.end]) for span in loaded.places]


def put(folder: Path, name: str, content: bytes | str) -> Path:
    file = folder / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


def refusal(file: Path) -> str:
    with pytest.raises(CorpusError) as caught:
        load(file)
    assert str(caught.value).startswith(str(file)), "the file is named"
    return str(caught.value).removeprefix(str(file)).strip()


# --- plain text


def test_the_article_stays_as_it_is() -> None:
    assert load(ARTICLE) == Loaded(ARTICLE.read_bytes().decode())


def test_plain_text_changes_its_line_ends_only(tmp_path: Path) -> None:
    file = put(tmp_path, "a.txt", "# One\r\n\r\n  *two*  \rthree\n")
    assert load(file) == Loaded("# One\n\n  *two*  \nthree\n")


def test_byte_order_marks_are_read_and_dropped(tmp_path: Path) -> None:
    for encoding in ("utf-8-sig", "utf-16", "utf-32"):
        assert load(put(tmp_path, "a.txt", "Grüße".encode(encoding))).text == "Grüße"


def test_loading_text_imports_no_parser() -> None:
    heavy = "trafilatura pypdf docx webvtt markdown_it lxml httpx tomlkit charset_normalizer".split()
    code = (
        "import sys; from pathlib import Path; from corpus import Corpus; from corpus.loaders import load\n"
        f"load(Path({str(ARTICLE)!r})); print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# --- Markdown


def test_markdown_reads_as_a_reader_reads_it() -> None:
    loaded = read(
        "markdown",
        "---\ntitle: x\n---\n# The *title*\n\n"
        "Hello **world**, a [link](http://x.y) and ![img](a.png) `co de`,\n"
        "H<sub>2</sub>O &amp; more.\n\n- one\n- two\n  - nested\n\n"
        "3. third\n4. fourth\n\n> quoted\n> words\n\n"
        "| a | b |\n|---|---|\n| 1 | 2 |\n\nSub\n---\n\n```py\nx = 1\n```\n",
    )
    assert loaded.text == (
        "The title\n\nHello world, a link and co de, H2O & more.\n\n• one\n• two\n• nested\n\n"
        "3. third\n4. fourth\n\nquoted words\n\na | b\n\n1 | 2\n\nSub\n\nx = 1"
    )
    assert [(h.title, h.level) for h in loaded.headings or ()] == [("The title", 1), ("Sub", 2)]


def test_markdown_without_headings_says_so() -> None:
    assert read("markdown", "Only a paragraph.").headings is None


def test_scripts_in_markdown_never_come_in() -> None:
    loaded = read(
        "markdown",
        "Before.\n\n<div>\n<script>\n\nalert(1)\n\n</script>\nshown</div>\n\n<style>p{}</style>\n\n"
        "Use the <b>tag</b> <script>evil()</script> here.\n\n<!-- note -->\n\n"
        "After a stray <script> tag.\n\nLast.",
    )
    assert loaded.text == "Before.\n\nshown\n\nUse the tag here.\n\nAfter a stray\n\nLast."


def test_control_characters_of_a_terminal_stay_out() -> None:
    assert read("markdown", "A \x1b[31mred\x1b[0m word\x9b.").text == "A [31mred[0m word."


# --- HTML

PAGE = """<html><head><title>My Page | Site</title><meta property="og:title" content="My Page"></head>
<body><nav><a href="/">Home</a></nav><article><h1>My Page</h1>
<p>First paragraph with <b>bold</b> and a <a href="x">link</a>, long enough to be real text. It goes on.</p>
<p style="DISPLAY : none">HIDDEN</p><p hidden>HIDDEN</p><div aria-hidden="true">HIDDEN</div>
<p style="font-size:0">HIDDEN</p><script>HIDDEN</script><style>HIDDEN</style><noscript>HIDDEN</noscript>
<template>HIDDEN</template><!-- HIDDEN --><h2>Part two</h2><ul><li>one item</li><li>two <i>items</i></li></ul>
<blockquote><p>Quoted words stand here.</p></blockquote>
<table><tr><th>Claim</th><th>Result</th></tr><tr><td>It raised money</td><td>Accurate</td></tr></table>
<h3>Deep</h3><p>More<br>lines after a break. And the end.</p></article>
<footer>Copyright</footer></body></html>"""


def test_html_gives_its_main_text_and_headings(tmp_path: Path) -> None:
    loaded = sound(load(put(tmp_path, "page.html", PAGE)))
    assert loaded.text == (
        "My Page\n\nFirst paragraph with bold and a link, long enough to be real text. It goes on.\n\n"
        "Part two\n\n• one item\n• two items\n\nQuoted words stand here.\n\nClaim | Result\n\n"
        "It raised money | Accurate\n\nDeep\n\nMore\nlines after a break. And the end."
    )
    assert [(h.title, h.level) for h in loaded.headings or ()] == [
        ("My Page", 1),
        ("Part two", 2),
        ("Deep", 3),
    ]
    assert loaded.title == "My Page"


def test_html_is_recognised_without_a_suffix(tmp_path: Path) -> None:
    assert load(put(tmp_path, "page", PAGE)).title == "My Page"


def test_html_in_an_encoding_that_it_names(tmp_path: Path) -> None:
    head = "<html><head><meta charset=iso-8859-1></head>"
    page = head + "<body><p>The café serves coffee, mostly.</p></body></html>"
    assert load(put(tmp_path, "a.html", page.encode("latin-1"))).text == "The café serves coffee, mostly."
    stray = page.encode("latin-1").replace(b"coffee", b"cof\x01fee")
    assert load(put(tmp_path, "stray.html", stray)).text == "The café serves coffee, mostly."


def test_html_in_an_encoding_that_it_does_not_name(tmp_path: Path) -> None:
    page = "<html><body><p>Привет, мир. Это русский текст, достаточно длинный.</p></body></html>"
    assert "is not UTF-8" in refusal(put(tmp_path, "a.html", page.encode("cp1251")))


def test_a_page_nested_beyond_measure_is_refused(tmp_path: Path) -> None:
    assert "nested too deeply" in refusal(put(tmp_path, "bomb.html", "<div>" * 100_000 + "hello"))


def test_a_page_beyond_measure_is_refused(tmp_path: Path) -> None:
    assert "too large for a page" in refusal(put(tmp_path, "bomb.html", "<p>" + "a " * (MAX_HTML_BYTES // 2)))


# --- PDF


def make_pdf(change: Callable[[FPDF], object] = lambda pdf: None, *, outline: bool = False) -> bytes:
    pdf = FPDF()
    pdf.set_font("helvetica", size=12)
    for page in (1, 2, 3):
        pdf.add_page()
        pdf.cell(0, 10, "The Running Head", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        if outline:
            pdf.start_section(f"Part {page}")
            pdf.cell(0, 10, f"Part {page}", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        pdf.multi_cell(
            0,
            6,
            f"Page {page} begins with a paragraph that wraps over lines. " * 2,
            align="L",
            new_x=XPos.LMARGIN,
            new_y=YPos.NEXT,
        )
        pdf.multi_cell(
            0,
            6,
            "It is a well-known word. The last sentence of this page runs on to",
            align="L",
            new_x=XPos.LMARGIN,
            new_y=YPos.NEXT,
        )
        pdf.cell(0, 6, f"- {page} -")
    change(pdf)
    return bytes(pdf.output())


def test_pdf_pages_are_places(tmp_path: Path) -> None:
    loaded = sound(load(put(tmp_path, "a.pdf", make_pdf(lambda pdf: pdf.set_title("My PDF")))))
    assert [name for name, _ in placed(loaded)] == ["p. 1", "p. 2", "p. 3"]
    for page, (_, text) in enumerate(placed(loaded), 1):
        assert text.startswith(f"Page {page} begins with a paragraph that wraps over lines. Page {page} begins")
        assert text.endswith("The last sentence of this page runs on to")
    assert (loaded.title, loaded.headings) == ("My PDF", None)


def test_pdf_headings_come_from_its_outline(tmp_path: Path) -> None:
    loaded = sound(load(put(tmp_path, "a.pdf", make_pdf(outline=True))))
    assert [h.title for h in loaded.headings or ()] == ["Part 1", "Part 2", "Part 3"]


def test_pdf_hyphens_at_line_ends_go_unless_the_word_has_one() -> None:
    from corpus.pdf import _join  # noqa: PLC0415

    words = __import__("collections").Counter({"well-known": 1})
    assert _join(["a well-", "known exam-", "ple of GPT-", "4 and Sub-", "Zero"], words) == (
        "a well-known example of GPT- 4 and Sub- Zero"
    )


def test_a_locked_pdf_is_refused_and_one_locked_against_changes_is_read(tmp_path: Path) -> None:
    locked = make_pdf(lambda pdf: pdf.set_encryption(owner_password="a", user_password="b"))
    assert refusal(put(tmp_path, "a.pdf", locked)).startswith("is protected by a password; save a copy")
    opened = make_pdf(lambda pdf: pdf.set_encryption(owner_password="a"))
    assert "paragraph" in load(put(tmp_path, "b.pdf", opened)).text


def test_a_pdf_of_images_is_refused(tmp_path: Path) -> None:
    pdf = FPDF()
    pdf.add_page()
    pdf.rect(10, 10, 50, 50)
    assert "holds only images" in refusal(put(tmp_path, "scan.pdf", bytes(pdf.output())))


def test_a_damaged_pdf_is_refused(tmp_path: Path) -> None:
    assert "damaged" in refusal(put(tmp_path, "cut.pdf", make_pdf()[:700]))
    assert "is not a PDF by its content" in refusal(put(tmp_path, "text.pdf", "Plain text."))


def test_a_parser_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"a\.pdf took longer than 0\.05 s"):
        load(put(tmp_path, "a.pdf", make_pdf()), time_limit=0.05)


def test_a_pdf_bomb_ends_by_a_limit(tmp_path: Path) -> None:
    # One stream of 300 MB of spaces, packed twice: less than a kilobyte in the file.
    packer, packed = zlib.compressobj(9), b""
    for _ in range(30):
        packed += packer.compress(b" " * 10_000_000)
    stream = zlib.compress(packed + packer.flush(), 9)
    body = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    body += b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    body += b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>>endobj\n"
    body += b"4 0 obj<</Length %d/Filter[/FlateDecode/FlateDecode]>>stream\n" % len(stream)
    body += stream + b"\nendstream endobj\ntrailer<</Root 1 0 R>>\n%%EOF"
    with pytest.raises(CorpusError, match=r"bomb\.pdf"):
        load(put(tmp_path, "bomb.pdf", body), time_limit=3)


def test_what_was_parsed_once_is_kept_by_its_content(tmp_path: Path) -> None:
    file, cache = put(tmp_path, "a.html", PAGE), tmp_path / "cache"
    first = load(file, cache=cache)
    [kept] = cache.iterdir()
    assert load(file, cache=cache, time_limit=0.001) == first, "no parser could have run in a millisecond"
    kept.write_bytes(kept.read_bytes().replace(b"raised", b"raisin"))
    assert load(file, cache=cache) == first, "a damaged entry is made anew"


def test_what_was_parsed_is_forgotten_when_nobody_has_read_it_for_a_month(tmp_path: Path) -> None:
    read, unread, cache = (
        put(tmp_path, "a.html", PAGE),
        put(tmp_path, "b.html", PAGE.replace("raised", "lowered")),
        tmp_path / "c",
    )
    month_ago = time.time() - 31 * 86_400
    for file in (read, unread):
        load(file, cache=cache)
    for kept in cache.iterdir():
        os.utime(kept, (month_ago, month_ago))
    load(read, cache=cache)
    forget_unused(cache)
    [kept] = cache.iterdir()
    assert load(read, cache=cache, time_limit=0.001) == load(read)
    forget_unused(tmp_path / "nowhere")


# --- DOCX


def make_docx(change: Callable[[docx.document.Document], object] = lambda document: None) -> bytes:
    document = docx.Document()
    document.core_properties.title = "My Doc"
    document.add_heading("The Title", 0)
    document.add_heading("One", 1)
    document.add_paragraph("A paragraph. With two sentences.")
    document.add_paragraph("first", style="List Bullet")
    document.add_paragraph("second", style="List Bullet")
    document.add_heading("Two", 2)
    table = document.add_table(1, 2)
    table.cell(0, 0).text, table.cell(0, 1).text = "Raised 3 billion", "Accurate"
    change(document)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def test_docx_headings_come_from_styles(tmp_path: Path) -> None:
    loaded = sound(load(put(tmp_path, "a.docx", make_docx())))
    assert loaded.text == (
        "The Title\n\nOne\n\nA paragraph. With two sentences.\n\n• first\n• second\n\n"
        "Two\n\nRaised 3 billion | Accurate"
    )
    assert [(h.title, h.level) for h in loaded.headings or ()] == [("The Title", 1), ("One", 1), ("Two", 2)]
    assert loaded.title == "My Doc"


def test_docx_insertions_come_in_and_hidden_and_deleted_text_stays_out(tmp_path: Path) -> None:
    def change(document: docx.document.Document) -> None:
        paragraph = document.add_paragraph("Seen, ")
        paragraph.add_run("HIDDEN").font.hidden = True
        for xml in (
            f'<w:ins {nsdecls("w")} w:id="1"><w:r><w:t>inserted</w:t></w:r></w:ins>',
            f'<w:del {nsdecls("w")} w:id="2"><w:r><w:delText>DELETED</w:delText></w:r></w:del>',
            f"<w:sdt {nsdecls('w')}><w:sdtContent><w:r><w:t>, controlled</w:t></w:r></w:sdtContent></w:sdt>",
        ):
            paragraph._p.append(parse_xml(xml))  # type: ignore[arg-type]

    assert load(put(tmp_path, "a.docx", make_docx(change))).text.endswith("Seen, inserted, controlled")


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    out = io.BytesIO(make_docx())
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/media/image1.png", b"\0" * 120_000_000)
    assert refusal(put(tmp_path, "bomb.docx", out.getvalue())).startswith("unpacks to 120 MB")


def test_a_damaged_or_other_docx_is_refused(tmp_path: Path) -> None:
    assert "damaged" in refusal(put(tmp_path, "cut.docx", make_docx()[:5000]))
    assert "old .doc" in refusal(put(tmp_path, "a.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.txt", "text")
    assert "not a Word document" in refusal(put(tmp_path, "b.docx", out.getvalue()))


def test_a_missing_extra_is_named_with_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "docx", None)
    monkeypatch.setitem(sys.modules, "pypdf", None)
    with pytest.raises(CorpusError, match=r"needs python-docx; .*: pip install python-docx"):
        parse_here("docx", make_docx_with_zip())
    with pytest.raises(CorpusError, match=r"needs pypdf; .*: pip install 'pypdf\[crypto\]'"):
        parse_here("pdf", b"%PDF-1.4")


def make_docx_with_zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
    return out.getvalue()


# --- subtitles and transcripts


def test_srt_cues_become_paragraphs_with_times_and_speakers() -> None:
    loaded = read(
        "srt",
        "1\n00:00:01,000 --> 00:00:03,000\nILYA: Hello <i>there</i>\n\n"
        "2\n00:00:03,000 --> 00:00:05,000\n{\\an8}in the year\n2000.\n\n"
        "3\n00:00:05,000 --> 00:00:07,000\nDWARKESH: Hi.\n\n"
        "4\n00:12:31,500 --> 00:12:33,000\nILYA: Yes?\n",
    )
    assert loaded.text == "Hello there in the year 2000.\n\nHi.\n\nYes?"
    assert said(loaded) == [("ILYA", "Hello there in the year 2000."), ("DWARKESH", "Hi."), ("ILYA", "Yes?")]
    assert placed(loaded) == [
        ("00:00:01", "Hello there"),
        ("00:00:03", "in the year 2000."),
        ("00:00:05", "Hi."),
        ("00:12:31", "Yes?"),
    ]


def test_vtt_voices_name_the_speakers() -> None:
    loaded = read(
        "vtt",
        "WEBVTT\n\nNOTE not said\n\nSTYLE\n::cue {}\n\n00:01.000 --> 00:03.000\n"
        "<v.loud Ilya Sutskever>Hello <00:02.000><c>there</c> &amp; all.</v>\n"
        "<v Dwarkesh>Hi &lt;b&gt;.</v>\n\n"
        "id\n01:01:01.000 --> 01:01:03.000 align:start\n<v Dwarkesh>Bye.\n",
    )
    assert loaded.text == "Hello there & all.\n\nHi <b>.\n\nBye."
    assert said(loaded) == [
        ("Ilya Sutskever", "Hello there & all."),
        ("Dwarkesh", "Hi <b>.\n\nBye."),
    ]
    assert [name for name, _ in placed(loaded)] == ["00:00:01", "01:01:01"]


def test_rolling_captions_are_said_once() -> None:
    # As YouTube writes them: each cue shows the line before it once more.
    lines = ["so we begin", "with the first", "of our questions", "for today"]
    cues = [f"00:0{n}.000 --> 00:0{n + 1}.000\n{lines[n - 1]}\n{lines[n]}\n" for n in range(1, 4)]
    loaded = read("vtt", "WEBVTT\n\n00:00.000 --> 00:01.000\nso we begin\n\n" + "\n".join(cues))
    assert loaded.text == "so we begin with the first of our questions for today"


def test_what_is_truly_said_twice_stays() -> None:
    cues = [f"00:0{n}.000 --> 00:0{n + 1}.000\n{line}\n" for n, line in enumerate(["No.", "No.", "Well, yes.", "So?"])]
    assert read("vtt", "WEBVTT\n\n" + "\n".join(cues)).text == "No. No. Well, yes. So?"


def test_running_paragraphs_break_at_pauses_and_after_a_fair_length() -> None:
    sentence = "Twelve words stand in number {:02d} so that its sum is easy."  # 56 characters
    cues = [f"00:{n:02d}.000 --> 00:{n + 1:02d}.000\n{sentence.format(n)}\n" for n in range(20)]
    late = f"00:50.000 --> 00:51.000\n{sentence.format(20)}\n"
    paragraphs = read("vtt", "WEBVTT\n\n" + "\n".join([*cues, late])).text.split("\n\n")
    # 9 * 56 = 504 is the first length beyond 500; the last cue comes 30 s later.
    assert [paragraph.count("Twelve") for paragraph in paragraphs] == [9, 9, 2, 1]


def test_subtitles_without_cues_are_refused(tmp_path: Path) -> None:
    assert "is no SRT" in refusal(put(tmp_path, "a.srt", "Just prose.\n\nMore prose.\n"))
    assert "holds no text" in refusal(put(tmp_path, "a.vtt", "WEBVTT\n\nNOTE nothing\n"))


@pytest.mark.parametrize(
    ("text", "names", "times"),
    [
        ("Ann: Hi: there.\nMore.\n\nBob: Yes.\n\nAnn: No.\n", ["Ann", "Bob", "Ann"], []),
        ("ANN  00:12:31\nHi.\n\nBOB  00:13:00\nHi.\n\nANN  1:14:00\nBye.\n", ["ANN", "BOB", "ANN"],
         ["00:12:31", "00:13:00", "01:14:00"]),
        ("[00:01:02] Ann Lee: Hi.\n[02:00] Bob: Yes.\n[03:00] Ann Lee: No.\n", ["Ann Lee", "Bob", "Ann Lee"],
         ["00:01:02", "00:02:00", "00:03:00"]),
        ("**Ann:** Hi.\n\n**Bob:** Yes.\n\n**Ann**: No.\n", ["Ann", "Bob", "Ann"], []),
        ("Speaker 1: Hi.\nSpeaker 2: Yes.\nSpeaker 1: No.\n", ["Speaker 1", "Speaker 2", "Speaker 1"], []),
        ("Ann (0:01): Hi.\nBob (0:09): Yes.\nAnn (1:00): No.", ["Ann", "Bob", "Ann"],
         ["00:00:01", "00:00:09", "00:01:00"]),
    ],
)  # fmt: skip
def test_transcripts_name_speakers_and_times(text: str, names: list[str], times: list[str]) -> None:
    loaded = read("text", text)
    assert loaded.text == text
    assert [name for name, _ in said(loaded)] == names
    assert [name for name, _ in placed(loaded)] == times
    assert all(name in turn for name, turn in said(loaded)), "a turn begins with its label"


@pytest.mark.parametrize(
    "text",
    [
        "He said: no.\n\nShe said: yes.\n\nThe point: it works.\n",
        "Ann: Hi.\n\nBob: Yes.\n",
        "Ann: Hi.\n\nBob: Yes.\n\nCarl: No.\n",
        "Note: one.\n\nNote: two.\n\nNote: three.\n",
        "Chapter 1: Why\n\nChapter 2: How\n\nChapter 3: When\n\nChapter 3: Again\n",
        "Source: a\nBackground: b\nHistory: c\nHistory: d\nEconomy: e\nPolitics: f\nSports: g\n",
    ],
)
def test_prose_with_colons_is_no_transcript(text: str) -> None:
    assert read("text", text) == Loaded(text)


def test_a_transcript_in_markdown() -> None:
    loaded = read("markdown", "# Talk\n\n**Ann:** Hi.\n\n**Bob:** Yes.\n\n**Ann:** No.\n")
    assert said(loaded) == [("Ann", "Ann: Hi."), ("Bob", "Bob: Yes."), ("Ann", "Ann: No.")]


# --- bad input


def test_files_that_hold_nothing_are_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path / "missing.txt").startswith("is missing")
    assert refusal(put(tmp_path, "empty.txt", "")).startswith("is empty")
    assert refusal(put(tmp_path, "blank.md", " \n\n\t")).startswith("is empty")
    assert refusal(put(tmp_path, "marks.md", "![](a.png)\n\n---\n")).startswith("holds no text")
    assert refusal(tmp_path).startswith("is not a file")


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    assert refusal(tmp_path / "pipe.txt").startswith("is not a file")


def test_binary_data_under_a_name_of_text_is_refused(tmp_path: Path) -> None:
    noise = random.Random(1).randbytes(5000)
    assert "binary data" in refusal(put(tmp_path, "noise.txt", noise))
    assert "binary data" in refusal(put(tmp_path, "noise.bin", noise.replace(b"\0", b"\1")))
    assert "plain text, Markdown, HTML, PDF, Word" in refusal(put(tmp_path, "nul", b"text\0text"))
    assert refusal(put(tmp_path, "report.txt", make_pdf())) == "is PDF by its content; rename it to report.pdf"


def test_an_encoding_is_recognised_and_said(tmp_path: Path) -> None:
    text = "Привет, мир. Это русский текст, который достаточно длинный для определения кодировки."
    message = refusal(put(tmp_path, "a.txt", text.encode("cp1251")))
    assert message.startswith("is not UTF-8 (byte 0); it looks like cp1251; convert it: iconv -f cp1251")
    assert "looks like UTF-16LE" in refusal(put(tmp_path, "b.txt", "No mark here".encode("utf-16le")))
    assert "looks like UTF-16BE" in refusal(put(tmp_path, "c.txt", "No mark here".encode("utf-16be")))


def test_a_file_beyond_measure_is_refused_unread(tmp_path: Path) -> None:
    file = put(tmp_path, "large.txt", "")
    os.truncate(file, MAX_BYTES + 1)
    assert refusal(file).startswith("is too large (50 MB, limit 50 MB)")


def test_an_unknown_ending_is_read_as_text(tmp_path: Path) -> None:
    assert load(put(tmp_path, "notes.weird", "Some text.")).text == "Some text."
    assert kind_of("talk", b"WEBVTT\n\n") == "vtt"


def test_markdown_that_stalls_its_parser_is_ended(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="took longer than 1 s"):
        load(put(tmp_path, "bomb.md", "![" * 100_000), time_limit=1)


# --- fuzz: a loader returns sound places or raises CorpusError, whatever it is given

TEXTUAL: tuple[Kind, ...] = ("text", "markdown", "srt", "vtt")
PIECES = st.sampled_from(
    ["Ann: ", "**Bob:** ", "[00:01:02] ", "# ", "- ", "1. ", "> ", "| a ", "|---|\n", "```\n", "<script>",
     "</script>", "<div>", "<!--", "-->", "![a](b)", "[a](b)", "`", "\n", "\n\n", "\r", "WEBVTT\n\n", "1\n",
     "00:00:01,000 --> ",
     "00:00:02,000\n", "00:01.000 --> 00:02.000\n", "<v Ann>", "</v>", "&amp;", "\x1b[0m", "\ufeff",
     "\u2028", "Ann  0:01\n", "é", "\U0001f600", "---\n", "<br>", "<", ">", "{\\an8}", "word ",
     "A sentence. "]
)  # fmt: skip
SOUP = st.lists(PIECES | st.text(max_size=20), max_size=60).map("".join)


def fuzz(kind: Kind, data: bytes) -> None:
    try:
        sound(parse_here(kind, data))
    except CorpusError:
        pass


@pytest.mark.parametrize("kind", TEXTUAL)
@settings(max_examples=150, deadline=None)
@given(data=SOUP.map(lambda text: text.encode("utf-8", "surrogatepass")) | st.binary(max_size=300))
def test_text_loaders_bear_anything(kind: Kind, data: bytes) -> None:
    fuzz(kind, data)


@pytest.mark.slow
@settings(max_examples=5000, deadline=None)
@given(data=SOUP.map(lambda text: text.encode("utf-8", "surrogatepass")) | st.binary(max_size=300))
def test_text_loaders_bear_anything_at_length(data: bytes) -> None:
    for kind in TEXTUAL:  # to think of an input takes longer than to read it
        fuzz(kind, data)


@settings(max_examples=60, deadline=None)
@given(pieces=st.lists(st.sampled_from(PAGE.replace("><", ">\0<").split("\0")) | SOUP, max_size=20))
def test_html_bears_anything(pieces: list[str]) -> None:
    fuzz("html", "".join(pieces).encode("utf-8", "surrogatepass") or b"<p>")  # thousands: tests/faults/test_fuzz.py


EDITS = st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=8)), min_size=1, max_size=10)


def damaged(whole: bytes, edits: list[tuple[float, bytes]]) -> bytes:
    for at, piece in edits:
        place = int(at * len(whole))
        whole = whole[:place] + piece + whole[place + len(piece) :]
    return whole


@pytest.mark.parametrize(("name", "whole"), [("a.pdf", make_pdf(outline=True)), ("a.docx", make_docx())])
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits=EDITS)
def test_a_damaged_document_is_read_or_refused_by_name(
    tmp_path: Path, name: str, whole: bytes, edits: list[tuple[float, bytes]]
) -> None:
    try:
        sound(load(put(tmp_path, name, damaged(whole, edits))))
    except CorpusError as error:
        assert name in str(error)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "whole"), [("a.pdf", make_pdf(outline=True)), ("a.docx", make_docx())])
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits=EDITS)
def test_a_damaged_document_is_read_or_refused_by_name_at_length(
    tmp_path: Path, name: str, whole: bytes, edits: list[tuple[float, bytes]]
) -> None:
    try:
        sound(load(put(tmp_path, name, damaged(whole, edits))))
    except CorpusError as error:
        assert name in str(error)
