"""What stands around the conversation: the header, the list of chats, the help."""

from __future__ import annotations

from pathlib import Path

from ui.chat import Chat, Shelf
from ui.render import escape

STATIC = Path(__file__).parent / "static"

_HELP = """
<details class="menu help"><summary>How this works</summary><div class="panel">
<p>Ask in plain words. The answer is made of sentences from the sources, each with the number of the place that it
rests on and the name of whoever holds it.</p>
<dl>
<dt>Word for word</dt><dd>Every quote stands in its source exactly as it is shown. Choose a number to see it
there.</dd>
<dt>Support</dt><dd>How far a quote bears a sentence out. It is a score, not a promise; a weak one is marked.</dd>
<dt>Likely covered</dt><dd>How likely it is that the sources answer the question at all.</dd>
<dt>Not in the sources</dt><dd>Where they don’t say, you get the nearest passages, and no guess.</dd>
</dl>
<dl class="keys">
<dt><kbd>Enter</kbd></dt><dd>send; <kbd>Shift</kbd> <kbd>Enter</kbd> starts a new line</dd>
<dt><kbd>Esc</kbd></dt><dd>close the reader, or stop an answer</dd>
<dt><kbd>Alt</kbd> <kbd>↓</kbd> <kbd>↑</kbd></dt><dd>next and previous citation</dd>
</dl></div></details>
"""


_VIEWS = (
    '<nav class="views" aria-label="Pages"><a href="#ask" data-view="ask" aria-current="page">Ask</a>'
    '<a href="#sources" data-view="sources">Sources</a><a href="#evals" data-view="evals">Evals</a></nav>'
)


def render_header(title: str) -> str:
    """Name, corpus and help; the same for every visitor."""
    icon = (STATIC / "icon.svg").read_text(encoding="utf-8")
    about = f'<p class="corpus" dir="auto">{escape(title)}</p>' if title else ""
    return (
        f'<header class="masthead"><span class="icon" aria-hidden="true">{icon}</span>'
        f"<h1>Chapter <i>&amp;</i> Verse</h1>{about}{_VIEWS}{_HELP}"
        '<button type="button" class="read" data-act="read">Reader</button></header>'
    )


def render_chats(shelf: Shelf) -> str:
    """The visitor's chats, and what can be done with the open one."""
    rows = "".join(_row(chat, n == shelf.open) for n, chat in enumerate(shelf.chats))
    export = (
        '<button type="button" data-act="export" data-kind="markdown">Export Markdown</button>'
        '<button type="button" data-act="export" data-kind="json">Export JSON</button>'
        if shelf.chat.exchanges
        else ""
    )
    return (
        '<nav class="chats" aria-label="Chats"><button type="button" data-act="new">New chat</button>'
        f'<details class="menu"><summary>Chats ({len(shelf.chats)})</summary>'
        f'<div class="panel"><ol>{rows}</ol>{export}'
        '<button type="button" data-act="import">Import JSON</button></div></details></nav>'
    )


def _row(chat: Chat, current: bool) -> str:
    title, name = escape(chat.title), escape(chat.id)
    here = ' aria-current="true"' if current else ""
    changes = "".join(
        f'<button type="button" data-act="{act}" data-chat="{name}" aria-label="{word} the chat: {title}">'
        f"{word}</button>"
        for act, word in (("rename", "Rename"), ("remove", "Delete"))
        if chat.exchanges
    )
    return (
        f'<li><button type="button" class="title" data-act="open" data-chat="{name}"{here} dir="auto">'
        f"{title}</button>{changes}</li>"
    )


def render_hint(text: str) -> str:
    """A friendly line under the question box; empty when there is nothing to say."""
    return f'<p class="hint" role="status" aria-live="polite">{escape(text)}</p>'
