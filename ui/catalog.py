"""The sources and the work on them as HTML. Every text that comes from outside is data and is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from corpus import BUILT_IN, Corpus, Source
from corpus.pages import targets
from rag.passages import split_document
from ui.edits import why_read_only
from ui.jobs import Outcome, Work
from ui.render import STANCE_WORDS, escape, web_address

LISTED = 300
CONFIDENCE_WORDS = {
    "verified": "read at the source",
    "secondary": "known from others’ reports",
    "article-only": "known from the article alone",
    "mixed": "read in part",
}


def render_head(corpus: Corpus, corpora: Sequence[Path], *, editor: bool) -> str:
    """What the corpus is called and how large it is, whether it can be edited, and which others can be opened."""
    sizes = [_sizes(corpus, source) for source in corpus.sources[:LISTED]]
    words, passages = (sum(size[n] for size in sizes) for n in (0, 1))
    first = f" (the first {LISTED})" if len(corpus.sources) > LISTED else ""
    why = why_read_only(corpus)
    note = f'<p class="why">{escape(why)}</p>' if why and editor else ""
    return (
        f'<header><h2 dir="auto">{escape(corpus.title or "Sources")}</h2><p class="meta">{len(corpus.sources)} sources'
        f" · {words:,} words · {passages:,} passages{first} · {_linked(corpus)}</p>"
        f"{note}{_menu(corpus, corpora) if editor else ''}</header>"
    )


def render_catalog(corpus: Corpus, *, editor: bool) -> str:
    """The sources one by one, and those that could not be read."""
    more = f"<p>The first {LISTED} of {len(corpus.sources)} are listed.</p>" if len(corpus.sources) > LISTED else ""
    removable = editor and not why_read_only(corpus)
    cards = "".join(_card(source, _sizes(corpus, source), removable) for source in corpus.sources[:LISTED])
    return f'{_failures(corpus)}{more}<ol class="sources-list">{cards}</ol>'


def _failures(corpus: Corpus) -> str:
    """What can't be read now: what is answered from as it was last indexed, and what is left out."""
    served: dict[bool, str] = {True: "", False: ""}
    for name, reason in corpus.failures.items():
        served[name in corpus.source_by_id or name == str(corpus.folder)] += (
            f"<li>{escape(name)}: {escape(reason)}</li>"
        )
    notes = (("Answering from the last index:", served[True]), ("Left out:", served[False]))
    return "".join(f'<div class="note"><strong>{head}</strong><ul>{items}</ul></div>' for head, items in notes if items)


def _sizes(corpus: Corpus, source: Source) -> tuple[int, int]:
    """Words and passages of a source."""
    return len(corpus.text(source.id).split()), sum(1 for _ in split_document(corpus.documents[source.id]))


def _linked(corpus: Corpus) -> str:
    own = [source for source in corpus.sources if source.file or not source.provenance.startswith("downloaded")]
    return f"{len(targets(own))} linked pages, {len(corpus.sources) - len(own)} of them here"


def _menu(corpus: Corpus, corpora: Sequence[Path]) -> str:
    """Another corpus to open, where there is one."""
    here = corpus.folder.resolve() if corpus.folder else None
    others = [n for n, folder in enumerate(corpora) if folder.resolve() != here]
    if not others:
        return ""
    items = "".join(
        f'<li><button type="button" data-act="switch" data-position="{n}" dir="auto">'
        f"{'The built-in corpus' if corpora[n] == BUILT_IN else escape(corpora[n].name)}</button></li>"
        for n in others
    )
    return (
        f'<details class="menu corpora"><summary>Open another corpus</summary><ol class="panel">{items}</ol></details>'
    )


def _card(source: Source, sizes: tuple[int, int], removable: bool) -> str:
    words, passages = sizes
    facts = [source.author, source.published, CONFIDENCE_WORDS[source.confidence]]
    facts += [f"{words:,} words", f"{passages} passage{'' if passages == 1 else 's'}"]
    about = [f'<span class="stance">{STANCE_WORDS[source.stance]}</span>', *(escape(fact) for fact in facts if fact)]
    if (url := web_address(source.url)) is not None:
        site = escape((urlsplit(url).hostname or "").removeprefix("www."))
        about.append(f'<a href="{escape(url)}" target="_blank" rel="noopener noreferrer">{site}</a>')
    bears = f'<p class="bears" dir="auto">Bears on {escape(", ".join(source.bears_on))}</p>' if source.bears_on else ""
    take_out = (
        f'<button type="button" data-act="take-out" data-source="{escape(source.id)}" '
        f'aria-label="Remove {escape(source.title)}">Remove</button>'
        if removable and source.file
        else ""
    )
    return (
        f'<li class="card {source.stance}"><button type="button" class="go" data-act="go" '
        f'data-source="{escape(source.id)}"><span class="where" dir="auto">{escape(source.title)}</span></button>'
        f'<p class="meta" dir="auto">{" · ".join(about)}</p>{bears}{take_out}</li>'
    )


def render_work(work: Work) -> str:
    """How far the work is, and what became of each source; "" before there was any."""
    if not work.title:
        return ""
    state = "done" if work.over else "running"
    count = f" {work.step.done} of {work.step.total}" if work.step.total else ""
    value = f' value="{work.step.done}" max="{work.step.total}"' if work.step.total else ""
    bar = f'<progress{value} aria-label="{escape(work.title)}"></progress>' if not work.over else ""
    title = work.title if work.over else f"{work.step.text or work.title}{count}"
    items = "".join(_outcome(outcome) for outcome in work.outcomes)
    failed = sum(not outcome.ok for outcome in work.outcomes)
    ended = f": {len(work.outcomes) - failed} done, {failed} not" if work.over else "…"
    return (
        f'<section class="work" data-state="{state}"><p class="doing" role="status" aria-live="polite" dir="auto">'
        f"<b>{escape(title)}</b>{ended}</p>{bar}<ul>{items}</ul></section>"
    )


def _outcome(outcome: Outcome) -> str:
    name = f"<b>{escape(outcome.name)}</b> " if outcome.name else ""
    kind, mark = ("ok", "") if outcome.ok else ("failed", "Not done: ")
    return f'<li class="{kind}" dir="auto">{name}<span>{mark}{escape(outcome.text)}</span></li>'
