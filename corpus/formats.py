"""Markdown, HTML and DOCX -> text. Each format is parsed by its own library; here only its result is read.

A message raised here completes the sentence that `loaders.load` begins with the file's name.
"""

from __future__ import annotations

import codecs
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from corpus.blocks import Block, Loaded, assemble
from corpus.errors import CorpusError

if TYPE_CHECKING:
    from docx.document import Document as WordDocument
    from docx.oxml.xmlchemy import BaseOxmlElement
    from lxml.etree import _Element
    from lxml.html import HtmlElement
    from markdown_it import MarkdownIt
    from markdown_it.token import Token
    from markdown_it.tree import SyntaxTreeNode

BULLET = "• "
MAX_UNZIPPED = 100_000_000
MAX_ZIP_RATIO = 200

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n.*?\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_TAG = re.compile(r"</?\s*([A-Za-z][\w-]*)")
_SILENT_TAGS = ("script", "style", "template", "noscript", "iframe", "object", "svg", "math")
_HIDING_STYLE = re.compile(r"display:none|visibility:hidden|(?:font-size|opacity):0(?![.\d])")
_CONTROL = bytes(set(range(32)) - set(b"\t\n\r"))  # which HTML forbids, and lxml stumbles over
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_DOCX_MARKS = {f"{_W}tab": "\t", f"{_W}noBreakHyphen": "-"}  # others are line breaks


def read_markdown(text: str) -> Loaded:
    """Markdown as plain text: marks, link targets, images and HTML tags go, what a reader reads stays."""
    from markdown_it import MarkdownIt  # noqa: PLC0415  plain texts don't pay for it
    from markdown_it.tree import SyntaxTreeNode  # noqa: PLC0415

    # The preset's limit of 20 levels would drop what is nested deeper, such as an old mail thread.
    parser = MarkdownIt("commonmark", {"maxNesting": 100}).enable(["table", "strikethrough"])
    tokens = parser.parse(_FRONT_MATTER.sub("", text))
    _render_inline(parser, tokens)
    return assemble(_markdown_blocks(SyntaxTreeNode(tokens)))


def _render_inline(parser: MarkdownIt, tokens: Sequence[Token]) -> None:
    """Replace the content of each token by what a reader reads of it."""
    silent = ""
    for token in tokens:
        html = token.type == "html_block"
        inline = parser.parseInline(token.content)[0] if html else token
        if inline.children is not None:
            token.content, left = _said(inline.children, silent)
            # A script that a block of HTML opens runs until it is closed; a stray tag in prose doesn't.
            silent = left if html or silent else ""
        elif silent:
            token.content = ""


def _said(children: Sequence[Token], silent: str) -> tuple[str, str]:
    """Return the text of inline tokens, and the tag that still silences what follows, or "" for none."""
    said = []
    for token in children:
        if token.type == "html_inline":
            tag = _TAG.match(token.content)
            name = tag[1].lower() if tag else ""
            if name == silent and token.content.startswith("</"):
                silent = ""
            elif not silent and name in _SILENT_TAGS and not token.content.startswith("</"):
                silent = name
            said.append("\n" if name == "br" and not silent else "")
        elif not silent and token.type in ("text", "code_inline"):
            said.append(token.content)
        elif not silent and token.type in ("softbreak", "hardbreak"):
            said.append(" " if token.type == "softbreak" else "\n")
    return re.sub(" {2,}", " ", "".join(said)).strip(), silent


def _markdown_blocks(node: SyntaxTreeNode) -> Iterator[Block]:
    for child in node.children:
        if child.type == "heading":
            yield Block(child.children[0].content.replace("\n", " "), int(child.tag[1]))
        elif child.type in ("bullet_list", "ordered_list"):
            yield from _items((f"{i.info}. " if i.info else BULLET, _markdown_blocks(i)) for i in child.children)
        elif child.type == "tr":
            yield _row(cell.children[0].content for cell in child.children)
        elif child.type in ("inline", "fence", "code_block", "html_block"):
            yield Block(child.content.strip("\n"))
        else:
            yield from _markdown_blocks(child)


def _items(items: Iterable[tuple[str, Iterable[Block]]]) -> Iterator[Block]:
    """Put a list's items on lines that follow each other, a bullet before the first block of each."""
    before = "\n\n"
    for bullet, blocks in items:
        for block in blocks:
            if block.text.strip():
                yield replace(block, text=block.text if block.level else bullet + block.text, before=before)
                bullet, before = "", "\n"


def _row(cells: Iterable[str]) -> Block:
    """Put a row on one line. Rows are paragraphs, lest the parser of documents run short ones together."""
    return Block(" | ".join(said for cell in cells if (said := " ".join(cell.split()))))


def read_html(data: bytes, *, utf8: bool) -> Loaded:
    """Read a page's main text; menus, footers and hidden elements don't come in. Raises CorpusError."""
    import lxml.html  # noqa: PLC0415  heavy, and only in the child process
    import trafilatura  # noqa: PLC0415

    parser = lxml.html.HTMLParser(encoding="utf-8" if utf8 else None, remove_comments=True, remove_pis=True)
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE))
    try:
        tree = lxml.html.document_fromstring(data if wide else data.translate(None, _CONTROL), parser=parser)
    except lxml.etree.ParserError as error:
        raise CorpusError(f"holds no HTML that can be read ({error}); open it in a browser and save it again") from None
    if any("depth" in entry.message for entry in parser.error_log):
        raise CorpusError("is nested too deeply to be read whole; save its text alone")
    title = tree.findtext(".//title") or ""
    for element in [e for e in tree.iter() if _is_hidden(e)]:
        if element.getparent() is not None:
            element.drop_tree()
    found = trafilatura.bare_extraction(tree, include_comments=False, favor_recall=True, with_metadata=True)
    body = getattr(found, "body", None)
    if body is None:
        body, _, _ = trafilatura.baseline(tree)
    return assemble(_html_blocks(body), getattr(found, "title", None) or title)


def _is_hidden(element: HtmlElement) -> bool:
    style = re.sub(r"\s+", "", element.get("style", "")).lower()
    return (
        element.tag in _SILENT_TAGS
        or element.get("hidden") is not None
        or element.get("aria-hidden", "").lower() == "true"
        or bool(_HIDING_STYLE.search(style))
    )


def _html_blocks(element: _Element) -> Iterator[Block]:
    """Read trafilatura's elements: head, p, list/item, quote, table/row/cell, lb, and inline ones."""
    run = [element.text or ""]
    for child in element:
        if child.tag in ("head", "p", "list", "item", "quote", "table", "row", "code", "body", "div"):
            yield Block(_flow(run))
            run = []
            yield from _html_block(child)
        else:
            run.append("\n" if child.tag == "lb" else "".join(child.itertext()))
        run.append(child.tail or "")
    yield Block(_flow(run))


def _html_block(element: _Element) -> Iterator[Block]:
    if element.tag == "head":
        yield Block(" ".join("".join(element.itertext()).split()), int((element.get("rend") or "h2")[-1]))
    elif element.tag == "list":
        yield from _items((BULLET, _html_blocks(item)) for item in element)
    elif element.tag == "row":
        yield _row(" ".join(cell.itertext()) for cell in element)
    elif element.tag == "code":
        yield Block("".join(element.itertext()).strip("\n"))
    else:
        yield from _html_blocks(element)


def _flow(run: Sequence[str]) -> str:
    """Join inline text, white space as a browser shows it; a piece that is a line end alone stays one."""
    said = "".join("\n" if piece == "\n" else re.sub(r"\s+", " ", piece) for piece in run)
    return re.sub(r" *\n *", "\n", said).strip()


def read_docx(data: bytes) -> Loaded:
    """Paragraphs, lists and tables of a Word document; headings by style. Raises CorpusError."""
    _refuse_zip_bomb(data)
    try:
        import docx  # noqa: PLC0415  an extra, and only in the child process
    except ImportError:
        raise CorpusError("needs python-docx; install it with: pip install python-docx") from None
    document = docx.Document(io.BytesIO(data))
    return assemble(_docx_blocks(document), document.core_properties.title)


def _refuse_zip_bomb(data: bytes) -> None:
    """Look at the sizes that the archive declares; zipfile stops at them when it unpacks."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            unzipped = sum(member.file_size for member in members)
            if unzipped > MAX_UNZIPPED or (unzipped > 1_000_000 and unzipped > MAX_ZIP_RATIO * len(data)):
                raise CorpusError(
                    f"unpacks to {unzipped // 1_000_000} MB, which no document of its size does; "
                    "save the text alone as a new document"
                )
            if "[Content_Types].xml" not in archive.namelist():
                raise CorpusError("is a zip archive, not a Word document; unpack it and add the files in it")
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        raise CorpusError("is not a Word document, or it is damaged; open it in Word and save it as .docx") from None


def _docx_blocks(document: WordDocument) -> Iterator[Block]:
    levels = _heading_levels(document)
    listed = False
    for element in document.element.body.iter(f"{_W}p", f"{_W}tr"):
        if element.tag == f"{_W}tr":
            cells = element.iterchildren(f"{_W}tc", f"{_W}sdt")
            yield _row("".join(_docx_text(cell)) for cell in cells)
            listed = False
        elif not any(element.iterancestors(f"{_W}tr", "{*}Fallback")):
            said = "".join(_docx_text(element)).strip()
            style = element.find(f"{_W}pPr/{_W}pStyle")
            name = style.get(f"{_W}val", "") if style is not None else ""
            item = element.find(f"{_W}pPr/{_W}numPr") is not None or name.startswith("List")
            level = levels.get(name, 0)
            before = "\n" if item and listed else "\n\n"
            yield Block(BULLET + said if item and said and not level else said, level, before=before)
            listed = item and not level


def _heading_levels(document: WordDocument) -> dict[str, int]:
    """Find the level of each heading style by its id; styles built on a heading count as that heading."""
    levels: dict[str, int] = {}
    for style in document.styles:
        base, depth = style, 0
        while base is not None and depth < 10:
            numbered = re.fullmatch(r"heading (\d)", (base.name or "").lower())
            if numbered or base.name == "Title":
                levels[style.style_id] = int(numbered[1]) if numbered else 1
                break
            base, depth = getattr(base, "base_style", None), depth + 1
    return levels


def _docx_text(element: BaseOxmlElement) -> Iterator[str]:
    """Yield the text that a reader sees: insertions too, but nothing deleted, moved away or hidden.

    python-docx's own `paragraph.text` leaves out tracked insertions and content controls.
    """
    paragraph = element if element.tag == f"{_W}p" else None
    for leaf in element.iter(f"{_W}t", f"{_W}tab", f"{_W}br", f"{_W}cr", f"{_W}noBreakHyphen", f"{_W}p"):
        run = leaf.getparent()
        if leaf.tag == f"{_W}p":
            yield " " if paragraph is None else ""
            continue
        if run is None or run.tag != f"{_W}r" or run.find(f"{_W}rPr/{_W}vanish") is not None:
            continue
        if any(leaf.iterancestors(f"{_W}moveFrom", f"{_W}del", "{*}Fallback")):
            continue
        if paragraph is None or next(leaf.iterancestors(f"{_W}p")) is paragraph:
            yield (leaf.text or "") if leaf.tag == f"{_W}t" else _DOCX_MARKS.get(str(leaf.tag), "\n")
