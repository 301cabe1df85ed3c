"""The page in a real browser: asked, read, stopped, reloaded, on a phone and by keyboard alone."""

from __future__ import annotations

import json
import socket
import time
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Dialog, Locator, Page, expect

from corpus import Corpus, VerseError
from rag.settings import Settings
from tests.ui.conftest import serving, until, visiting
from tests.ui.fakes import FakeEngine
from tests.ui.payloads import PAYLOADS
from ui.chat import Chat, Exchange
from ui.export import to_json
from ui.feedback import FEEDBACK
from ui.server import listen, serve

browser_test = pytest.mark.browser


def ask(page: Page, question: str) -> None:
    page.get_by_label("Your question").fill(question)
    page.keyboard.press("Enter")


def asked(page: Page, question: str) -> Locator:
    """Ask and wait for the end; gives the exchange."""
    ask(page, question)
    exchange = page.locator(".exchange", has=page.locator(".asked", has_text=question)).last
    expect(exchange).to_have_attribute("data-state", "done")
    # The buttons under an answer come with its last update, after which nothing moves any more.
    expect(page.locator("#live .exchange")).to_have_count(0)
    return exchange


def kept(page: Page, text: str) -> None:
    """Wait until the browser keeps a text; it does so a moment after the page shows it."""
    page.wait_for_function("text => localStorage.getItem('chapter-and-verse-chats')?.includes(text)", arg=text)


def marked(page: Page) -> str:
    """The highlighted words, as a reader sees them."""
    page.wait_for_selector(".sheet mark")
    return "".join(page.locator(".sheet mark").all_text_contents())


def in_view(page: Page, selector: str) -> bool:
    return bool(
        page.locator(selector).first.evaluate(
            "e => { const r = e.getBoundingClientRect(), s = document.querySelector('.sheet').getBoundingClientRect();"
            " return r.top >= s.top && r.bottom <= s.bottom; }"
        )
    )


@browser_test
def test_the_answer_comes_in_sentence_by_sentence(page: Page) -> None:
    ask(page, "slow: why a dry hive?")
    expect(page.locator(".status")).to_have_text("Reading the sources…")
    expect(page.locator(".sentence")).to_have_count(1)
    expect(page.locator(".sentence")).to_have_count(2)
    expect(page.get_by_role("button", name="Stop")).to_be_visible()


@browser_test
def test_a_mark_leads_to_the_very_words_each_time(page: Page, engine: FakeEngine) -> None:
    exchange = asked(page, "Why a dry hive?")
    answer = engine.ask("Why a dry hive?")
    for _ in range(3):
        for mark, citation in zip(exchange.locator("button.mark").all(), answer.citations, strict=True):
            mark.click()
            expect(page.locator("select.sources")).to_have_value(citation.source_id)
            assert marked(page) == citation.quote
            assert in_view(page, ".sheet mark")
            assert page.locator(".sheet .near").count() == 1
            page.locator(".sheet").evaluate("e => e.scrollTop = e.scrollHeight")


@browser_test
def test_a_card_leads_there_too_and_one_comes_back(page: Page, engine: FakeEngine) -> None:
    exchange = asked(page, "Why?")
    exchange.locator(".card .go").nth(1).click()
    # The second pick holds letters outside the 16-bit range, which a script counts as two.
    assert marked(page) == engine.ask("Why?").citations[1].quote == "She keeps 🐝🐝 forty hives 𝒾𝓃 the hills."
    page.get_by_role("button", name="Back to the answer").click()
    expect(exchange.locator(".card .go").nth(1)).to_be_focused()


@browser_test
def test_a_range_inside_a_sentence_is_marked_by_its_characters(page: Page, corpus: Corpus) -> None:
    text = corpus.documents["article"].text
    start, end = text.index("𝒾𝓃 the"), text.index("𝒾𝓃 the") + len("𝒾𝓃 the")
    asked(page, "Why?").locator("button.mark").first.evaluate(
        f"e => {{ e.dataset.start = {start}; e.dataset.end = {end}; e.dataset.cite = 'none'; e.click(); }}"
    )
    assert marked(page) == "𝒾𝓃 the"


@browser_test
def test_hovering_a_mark_shows_its_quote(page: Page) -> None:
    mark = asked(page, "Why?").locator("button.mark").first
    mark.hover()
    expect(page.get_by_role("tooltip")).to_contain_text("A damp hive kills more bees than cold does.")
    mark.click()
    marked(page)
    page.get_by_role("link", name="Sources").click()
    expect(page.locator("#sources-page")).to_be_visible()
    page.wait_for_timeout(300)
    expect(page.get_by_role("tooltip")).to_be_hidden()


@browser_test
def test_chats_come_back_after_a_reload_with_their_citations(page: Page, engine: FakeEngine) -> None:
    asked(page, "Why a dry hive?")
    page.get_by_role("button", name="New chat").click()
    expect(page.locator(".welcome")).to_be_visible()
    asked(page, "What of honey?")
    page.reload()
    expect(page.locator(".asked")).to_have_text("What of honey?")
    page.locator(".chats summary").click()
    page.get_by_role("button", name="Why a dry hive?", exact=True).click()
    expect(page.locator(".asked")).to_have_text("Why a dry hive?")
    page.locator("button.mark").nth(2).click()
    assert marked(page) == engine.ask("Why a dry hive?").citations[2].quote


@browser_test
def test_two_pages_of_one_browser_keep_each_others_chats(page: Page) -> None:
    asked(page, "Why a dry hive?")
    other = page.context.new_page()
    other.goto(page.url)
    expect(other.locator(".asked")).to_have_text("Why a dry hive?")
    other.get_by_role("button", name="New chat").click()
    asked(other, "What of honey?")
    asked(page, "And where?")
    page.locator(".chats summary").click()
    expect(page.locator(".chats .title")).to_have_text(["What of honey?", "Why a dry hive?"])
    page.get_by_role("button", name="Rename the chat: What of honey?").click()
    page.get_by_label("Title of the chat").fill("Of <b>honey</b>")
    page.keyboard.press("Enter")
    expect(page.locator(".chats .title").first).to_have_text("Of <b>honey</b>")
    kept(page, "Of <b>honey</b>")
    other.reload()
    expect(other.locator(".chats .title")).to_have_text(["Of <b>honey</b>", "Why a dry hive?"])
    expect(other.locator(".asked")).to_have_text("What of honey?")
    other.locator(".chats summary").click()
    other.get_by_role("button", name="Why a dry hive?", exact=True).click()
    expect(other.locator(".asked")).to_have_text(["Why a dry hive?", "And where?"])
    other.locator(".chats summary").click()
    delete = other.get_by_role("button", name="Delete the chat: Of <b>honey</b>")
    delete.dblclick()
    expect(delete).to_have_text("Really?")
    expect(other.locator(".chats .title")).to_have_count(2)
    delete.click()
    expect(other.locator(".chats .title")).to_have_text(["Why a dry hive?"])


@browser_test
def test_a_server_that_has_forgotten_the_page_gets_the_chats_back(browser: Browser, corpus: Corpus) -> None:
    with serving(FakeEngine(corpus)) as address:
        port = int(address.rpartition(":")[2])
        context = browser.new_context()
        page = context.new_page()
        page.goto(address)
        page.wait_for_selector(".sheet section", state="attached")
        asked(page, "Why a dry hive?")
        page.get_by_role("button", name="New chat").click()
        expect(page.locator(".welcome")).to_be_visible()
        asked(page, "What of honey?")
    with context, serving(FakeEngine(corpus), port=port):
        asked(page, "And where?")
        expect(page.locator(".asked")).to_have_text(["What of honey?", "And where?"])
        expect(page.locator(".chats .title")).to_have_text(["What of honey?", "Why a dry hive?"])


@browser_test
def test_a_follow_up_goes_with_the_history_and_the_scope(page: Page, engine: FakeEngine) -> None:
    asked(page, "Who keeps bees?")
    page.locator(".scope summary").click()
    page.locator("#scope").get_by_label("Chapter 2").check()
    expect(page.locator(".scope .chosen")).to_have_text("Chapter 2")
    asked(page, "And where?")
    assert engine.asked[-1].history[0]["content"] == "Who keeps bees?"
    told = [engine.asked[-1].sections]
    page.locator(".scope summary").click()
    page.locator("#scope").get_by_label("Chapter 1").check()
    asked(page, "And when?")
    told.append(engine.asked[-1].sections)
    page.locator(".scope summary").click()
    page.get_by_label("Everything").check()
    asked(page, "And why?")
    assert [*told, engine.asked[-1].sections] == [("Chapter 2",), ("Chapter 1", "Chapter 2"), ()]


@browser_test
def test_stop_is_immediate_and_the_engine_is_let_go(page: Page, engine: FakeEngine) -> None:
    finished, closed = engine.finished, engine.closed
    ask(page, "slow: why?")
    expect(page.locator(".sentence")).to_have_count(1)
    before = time.monotonic()
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".status")).to_have_text("Stopped before the end")
    assert time.monotonic() - before < 2.5  # the answer would have taken 3 s more
    until(lambda: engine.closed == closed + 1)
    assert engine.finished == finished
    asked(page, "Go on?")
    assert page.locator(".asked").all_text_contents() == ["slow: why?", "Go on?"]


@browser_test
def test_a_closed_page_frees_its_work(browser: Browser, address: str, engine: FakeEngine) -> None:
    finished, closed = engine.finished, engine.closed
    with visiting(browser, address) as page:
        ask(page, "slow: why?")
        expect(page.locator(".sentence")).to_have_count(1)
    until(lambda: engine.closed == closed + 1)
    assert engine.finished == finished


@browser_test
def test_edit_and_ask_again_replace_the_question(page: Page, engine: FakeEngine) -> None:
    asked(page, "First?")
    asked(page, "Second?")
    first = page.locator(".exchange").first
    first.hover()
    first.get_by_role("button", name="Edit").click()
    page.get_by_label("Edit the question").fill("First, but better?")
    page.keyboard.press("Enter")
    expect(page.locator(".asked")).to_have_text(["First, but better?"])
    expect(page.locator("#live .exchange")).to_have_count(0)
    page.locator(".exchange").first.hover()
    calls = len(engine.asked)
    page.get_by_role("button", name="Ask again").click()
    until(lambda: len(engine.asked) > calls)
    expect(page.locator("#log .exchange")).to_have_attribute("data-state", "done")
    expect(page.locator(".asked")).to_have_text(["First, but better?"])


@browser_test
def test_the_chat_is_exported_as_the_apis_object(page: Page, tmp_path: Path, engine: FakeEngine) -> None:
    asked(page, "Why?")
    page.locator(".chats summary").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Export JSON").click()
    download.value.save_as(tmp_path / "chat.json")
    exported = json.loads((tmp_path / "chat.json").read_text(encoding="utf-8"))
    assert exported["exchanges"][0]["answer"]["citations"][0]["quote"] == engine.ask("Why?").citations[0].quote


@browser_test
def test_an_exported_chat_is_imported_with_its_citations(page: Page, tmp_path: Path, engine: FakeEngine) -> None:
    asked(page, "Why?")
    answer = engine.ask("Why?")
    file = tmp_path / "chat.json"
    file.write_text(to_json(Chat((Exchange("Why?", answer=answer),))), encoding="utf-8")
    bad = tmp_path / "bad.json"
    bad.write_text("not a chat", encoding="utf-8")
    page.locator(".chats summary").click()
    for path in (bad, file):
        with page.expect_file_chooser() as chooser:
            page.get_by_role("button", name="Import JSON").click()
        chooser.value.set_files(path)
        said = "this isn't a chat that was exported as JSON here; choose such a file" if path == bad else ""
        expect(page.locator(".hint")).to_have_text(said)
    expect(page.locator(".chats summary")).to_have_text("Chats (2)")
    expect(page.locator(".chats details")).not_to_have_attribute("open", "")
    page.locator("button.mark").nth(1).click()
    assert marked(page) == answer.citations[1].quote


@browser_test
def test_an_imported_quote_that_the_source_does_not_hold_is_said_and_not_marked(
    page: Page, tmp_path: Path, engine: FakeEngine
) -> None:
    text = to_json(Chat((Exchange("Why?", answer=engine.ask("Why?")),)))
    (tmp_path / "chat.json").write_text(text.replace("kills more bees", "kills no bee"), encoding="utf-8")
    page.locator(".chats summary").click()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Import JSON").click()
    chooser.value.set_files(tmp_path / "chat.json")
    expect(page.locator(".grounds")).to_contain_text("3 of 4 word for word")
    page.locator("button.mark").first.click()
    expect(page.locator(".problem")).to_contain_text("no longer stand at this place")
    assert page.locator(".sheet mark").count() == 0
    page.locator("button.mark").nth(1).click()
    expect(page.locator(".problem")).to_be_hidden()


@browser_test
def test_a_thumb_and_its_reason_are_kept_on_this_machine(page: Page, engine: FakeEngine) -> None:
    file = engine.settings.home / FEEDBACK
    file.unlink(missing_ok=True)
    asked(page, "Why?")
    page.get_by_role("button", name="Not helpful").click()
    page.get_by_label("What was wrong? (optional)").fill("It leaves out the critic.")
    page.keyboard.press("Enter")
    expect(page.locator(".thanks")).to_contain_text("Kept on this machine")
    expect(page.get_by_role("button", name="Not helpful")).to_have_attribute("aria-pressed", "true")
    kept(page, '"rating": "down"')
    line = json.loads(file.read_text(encoding="utf-8"))
    assert (line["rating"], line["reason"], line["question"]) == ("down", "It leaves out the critic.", "Why?")
    page.reload()
    expect(page.get_by_role("button", name="Not helpful")).to_have_attribute("aria-pressed", "true")


@browser_test
def test_an_answer_suggests_what_to_ask_next(page: Page, engine: FakeEngine) -> None:
    exchange = asked(page, "Why?")
    question = exchange.locator(".follow .suggestion").first.text_content() or ""
    exchange.locator(".follow .suggestion").first.click()
    expect(page.locator(".exchange .asked").last).to_have_text(question)
    until(lambda: engine.asked[-1].question == question)  # the page shows it before the engine is asked
    assert engine.asked[-1].history[0]["content"] == "Why?"


@browser_test
def test_an_empty_question_a_known_error_and_a_bug_are_said_plainly(page: Page, engine: FakeEngine) -> None:
    calls = len(engine.asked)
    ask(page, "   ")
    expect(page.locator(".hint")).to_have_text("Type a question first, or choose one of those suggested.")
    assert len(engine.asked) == calls
    expect(asked(page, "broken").locator(".status")).to_have_text("the index is missing; build it with: verse ingest")
    expect(page.locator(".hint")).to_have_text("")
    expect(asked(page, "unknown").locator("h3").first).to_have_text("Nearest passages")


@browser_test
def test_a_question_comes_to_the_top_and_stays_there(page: Page) -> None:
    for question in ("First?", "Second?", "Third?"):
        asked(page, question)
        page.wait_for_function(
            "() => { const s = document.querySelector('#scroll'), e = [...s.querySelectorAll('.exchange')].pop();"
            " return Math.abs(e.getBoundingClientRect().top - s.getBoundingClientRect().top - 5) < 7; }"
        )


@browser_test
def test_a_suggestion_is_asked_with_one_click(page: Page, engine: FakeEngine) -> None:
    page.get_by_role("button", name="What does Chapter 1 say about").click()
    expect(page.locator(".status")).to_contain_text("Answered from the sources")
    assert engine.asked[-1].question == "What does Chapter 1 say about “On keeping bees”?"


@browser_test
def test_on_a_phone_the_reader_slides_over_and_closes(browser: Browser, address: str) -> None:
    with visiting(browser, address, width=390, height=844) as page:
        expect(page.locator(".sheet")).not_to_be_visible()
        for button in ("Reader", "Send", "New chat"):
            expect(page.get_by_role("button", name=button, exact=True)).to_be_in_viewport(ratio=1)
        asked(page, "Why?").locator("button.mark").first.click()
        expect(page.locator(".sheet")).to_be_visible()
        assert marked(page).startswith("A damp hive")
        page.get_by_role("button", name="Close the reader").click()
        expect(page.locator(".sheet")).not_to_be_visible()
        page.locator("button.mark").first.click()
        expect(page.locator(".sheet")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator(".sheet")).not_to_be_visible()
        page.locator("button.mark").nth(1).click()
        expect(page.locator(".sheet")).to_be_visible()
        page.go_back()
        expect(page.locator(".sheet")).not_to_be_visible()
        expect(page.locator("button.mark").nth(1)).to_be_focused()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


@browser_test
def test_by_keyboard_alone(page: Page, engine: FakeEngine) -> None:
    expect(page.get_by_label("Your question")).to_be_focused()
    page.keyboard.type("Why?")
    page.keyboard.press("Enter")
    expect(page.locator("#log .exchange")).to_have_attribute("data-state", "done")
    citations = engine.ask("Why?").citations
    for keys, n in (("Alt+ArrowDown", 0), ("Alt+ArrowDown", 1), ("Alt+ArrowUp", 0)):
        page.keyboard.press(keys)
        expect(page.locator(".sheet mark")).to_have_text(citations[n].quote)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".sheet mark")).to_have_text(citations[1].quote)


@browser_test
def test_a_configured_model_is_named_and_can_be_left_out(browser: Browser, corpus: Corpus) -> None:
    engine = FakeEngine(corpus, settings=Settings.read(llm="fake/scribe"))
    with serving(engine) as address, visiting(browser, address) as page:
        expect(asked(page, "Why?").locator(".mode")).to_have_text("written by fake/scribe")
        withheld = page.locator(".withheld")
        expect(withheld.locator("li")).to_be_hidden()
        withheld.locator("summary").click()
        expect(withheld.locator("li")).to_contain_text("It flies to the moon.")
        expect(asked(page, "offline?").locator(".notice")).to_have_text(
            "Answered without fake/scribe: it can't be reached."
        )
        page.locator("#mode select").select_option("in the sources’ own words")
        expect(asked(page, "And how?").locator(".mode")).to_have_text("in the sources’ own words")
        expect(page.locator(".withheld")).to_have_count(2)


@browser_test
def test_without_a_model_that_is_said(page: Page) -> None:
    expect(page.locator("#mode")).to_contain_text("without a language model")


@browser_test
def test_payloads_do_not_run_wherever_they_stand(browser: Browser) -> None:
    hostile = "\n\n".join(f"A hive {payload} is dry and warm." for payload in PAYLOADS)
    titles = {"article": PAYLOADS[0] + PAYLOADS[1], "other": PAYLOADS[2]}
    corpus = Corpus.from_texts({"article": f"Chapter 1: {PAYLOADS[3]}\n\n{hostile}", "other": hostile}, titles=titles)
    picks = tuple(range(0, len(corpus.documents["article"].sentences)))
    with serving(FakeEngine(corpus, picks=picks)) as address, visiting(browser, address) as page:
        dialogs: list[str] = []

        def refuse(dialog: Dialog) -> None:
            dialogs.append(dialog.message)
            dialog.dismiss()

        page.on("dialog", refuse)
        ask(page, " ".join(PAYLOADS))
        expect(page.locator("#log .exchange")).to_have_attribute("data-state", "done")
        page.locator("button.mark").nth(3).click()
        marked(page)
        page.locator(".card .go").last.click()
        page.locator("button.mark").nth(5).hover()
        kept(page, '"answer": {')
        page.reload()
        expect(page.locator("#log .exchange")).to_have_attribute("data-state", "done")
        assert dialogs == []
        assert page.evaluate("window.stolen") is None
        strangers = "script, img, iframe, object, embed, svg, style, link, base, form, video, audio, math, marquee"
        assert page.locator(":is(#log, #live, .sheet, #chats, #peek)").locator(strangers).count() == 0


@browser_test
def test_two_visitors_see_only_their_own(browser: Browser, address: str) -> None:
    with visiting(browser, address) as one, visiting(browser, address) as two:
        ask(one, "slow: from one?")
        ask(two, "slow: from two?")
        for page, question in ((one, "slow: from one?"), (two, "slow: from two?")):
            expect(page.locator("#log .exchange")).to_have_attribute("data-state", "done")
            expect(page.locator(".asked")).to_have_text(question)


def test_nothing_from_elsewhere_may_be_loaded(corpus: Corpus) -> None:
    with serving(FakeEngine(corpus)) as address, urllib.request.urlopen(address) as reply:
        policy = reply.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'self';")
        assert "http" not in policy
        assert "fonts.googleapis" not in reply.read().decode()


def test_a_taken_port_is_named_with_the_cure(corpus: Corpus) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(
            VerseError, match=rf"^port {port} is taken; choose another with: verse ui --port {port + 1}$"
        ):
            serve(FakeEngine(corpus), port=port)


@pytest.mark.parametrize(
    ("host", "port", "message"),
    [
        ("127.0.0.1", 70000, "port 70000 is not between 0 and 65535"),
        ("no.such.host.invalid", 0, "no such host"),
        ("192.0.2.1", 0, "192.0.2.1 is not an address of this machine"),
    ],
)
def test_an_impossible_place_is_named_with_the_cure(host: str, port: int, message: str) -> None:
    with pytest.raises(VerseError, match=message):
        listen(host, port)
