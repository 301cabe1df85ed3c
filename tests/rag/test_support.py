"""Does the evidence support the sentence? Small stories over made-up evidence, without and with the encoder."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rag.datatypes import Support
from rag.encoder import OnnxEncoder, load_entailment
from rag.entailment import EntailmentModel
from rag.errors import ModelUnavailable
from rag.evidence import read_passage
from rag.export import export_encoder
from rag.settings import Settings
from rag.statements import read
from rag.support import SUPPORTED, SURE, BuiltIn, SupportChecker

BRIDGE = (
    "The council said in March 2019 that the Alder bridge had cost 14 million euros. Mayor Ines Roth opened it on "
    "3 May 2021. Roth argued that the bridge may halve the traffic in the old town. Her critic Tomas Weil doubts "
    "that. He notes that most drivers come from the north, and that the bridge does not reach the ring road. The "
    "old ferry carried 300 cars a day; the bridge carries 9,000. The ferry stopped because the bridge had opened."
)
TEAM = (
    "Nordal hired Eva Brandt in May 2016. She told staff that she would run the lab and that Olaf Brandt would keep "
    "the archive. The lab used the Kestrel-3 for two months; at most 40 people worked there. Its output rose from "
    "55 to 78 percent. Teaching a robot is harder than teaching an apprentice. The lab has no patents, and "
    "it is not yet open."
)
YARD = (
    "An old saying has it that ropes are cheap and sails are everything. The boats will be sold; the sheds will be a "
    "sea museum. This is not a financial question but a moral duty. The yard moved from Hull to Leith. Its elder "
    "sister yard is still open. Ada Roe said that the winter was hard; Ben Tull disputed it and asked for figures. The "
    "crane killed most of the island's sheep. The mate declined; the pilot accepted the post."
)
FERRY = (
    "Interviewer: Why did you go?\nMarit Holm: The board wanted larger boats. Fares rose, but the passengers left "
    "mainly because the timetable changed.\nTom Badger asked whether the pier had been paid for; Leila Haddad said"
    " that it had not. Whether the old line will last another winter is unknown. The engine burned 40 tonnes of "
    "oil in May 1990. After the repair it burned 70 tonnes. The mate looks after the pumps. The cook will be "
    "asked to look after the cabins. Half of them returned within 30 minutes. The fare stayed the same although "
    "the fuel was dear."
)
PEOPLE = (("Ines Roth", "Roth"), ("Tomas Weil", "Weil"))
WORDS_ONLY = SupportChecker(people=PEOPLE)


@pytest.fixture(scope="module")
def with_model(encoder_files: Path) -> SupportChecker:
    return SupportChecker(BuiltIn(OnnxEncoder.open(encoder_files), EntailmentModel.open(encoder_files)), PEOPLE)


BRIDGE_CHANGED = [
    ("The council said that the Alder bridge had cost 40 million euros.", "40 million"),
    ("The council said in March 2018 that the Alder bridge had cost 14 million euros.", "March 2018"),
    ("Mayor Ines Roth opened the bridge on 5 May 2021.", "5 May 2021"),
    ("The old ferry carried 9,000 cars a day.", "300"),
    ("The council said that the Birch bridge had cost 14 million euros.", "Birch"),
    ("Weil argued that the bridge may halve the traffic in the old town.", "Roth"),
    ("Roth argued that the bridge will halve the traffic in the old town.", "may"),
    ("Roth notes that most drivers come from the north.", "Roth"),
    ("All drivers come from the north, Weil notes.", "All"),
    ("Weil notes that the bridge reaches the ring road.", "denies"),
    ("Weil notes that most drivers do not come from the north.", "doesn't deny"),
    ("The bridge had opened because the ferry stopped.", "cause"),
]
BRIDGE_KEPT = [
    "Mayor Ines Roth opened it on 3 May 2021.",
    "The Alder bridge cost 14 million euros.",
    "The Alder bridge had cost €14m, the council said in March 2019.",
    "Roth argued that the bridge may halve the traffic in the old town.",
    "Weil notes that most drivers come from the north.",
    "The bridge doesn't reach the ring road.",
    "The old ferry carried 300 cars a day, the bridge nine thousand.",
    "The ferry stopped because the bridge had opened.",
]

TEAM_CHANGED = [
    ("Nordal hired Eva Strand in May 2016.", "Eva Strand"),
    ("Eva Brandt told staff that Olaf Brandt would run the lab.", ""),
    ("The lab used the Kestrel-4 for two months.", "Kestrel"),
    ("The lab used the Kestrel-3 for two weeks.", "weeks"),
    ("At least 40 people worked there.", "at most"),
    ("Its output rose from 78 to 55 percent.", "78"),
    ("Teaching an apprentice is harder than teaching a robot.", "than"),
    ("The lab has patents.", "patents"),
    ("The lab is open.", "open"),
    ("The lab is not without patents.", "patents"),
]
TEAM_KEPT = [
    "Eva Brandt was hired by Nordal in 2016.",
    "Eva Brandt told the staff that she would run the lab.",
    "The lab's output rose by 23 percentage points.",
    "No more than 40 people worked in the lab.",
    "The lab is not open yet and has no patents.",
]

YARD_CHANGED = [
    ("An old saying has it that sails are cheap and ropes are everything.", "changed places"),
    ("The boats will be a sea museum.", "sheds"),
    ("This is not a moral question but a financial duty.", "changed places"),
    ("The yard moved to Hull.", "from"),
    ("Its younger sister yard is still open.", "younger"),
    ("Its elder sister yard is no longer open.", "open"),
    ("Ben Tull said that the winter was hard.", "Ada Roe"),
    ("The pilot did not accept the post.", "accept"),
]
YARD_KEPT = [
    "The boats will be sold, and the sheds will be a sea museum.",
    "Ropes are cheap and sails are everything, an old saying has it.",
    "Not a financial question but a moral duty is what this is.",
    "The pilot accepted the post, and the mate declined.",
    "The yard moved to Leith from Hull.",
]

FERRY_CHANGED = [
    ("Badger said that the passengers left mainly because the timetable changed.", "Marit Holm"),
    ("Haddad said that the pier had been paid for.", "denies"),
    ("The old line will last another winter.", "leaves open"),
    ("The engine burned 70 tonnes of oil in May 1990.", "40"),
    ("The cook will be asked to look after the pumps.", "cabins"),
    ("All of the passengers returned within 30 minutes.", "Half"),
    ("The fare stayed the same because the fuel was dear.", "although"),
]
FERRY_KEPT = [
    "Holm says that the passengers left mainly because the timetable changed.",
    "Haddad said that the pier had not been paid for.",
    "Whether the old line lasts another winter isn't known.",
    "The engine burned 40 tonnes of oil in May 1990 and 70 tonnes after the repair.",
    "Half of them returned within half an hour.",
]

ARCHIVE = (
    "Host: Were you the first to print the letters?\nDr Lena Marsh: No, a group in Leiden was. We plan to put the maps "
    "online in May. I was told that the ink of the maps had faded because the cellar was wet. The heat did no harm."
)
ARCHIVE_CHANGED = [
    ("Marsh was the first to print the letters.", "denies"),
    ("The maps were put online in May.", "plan"),
    ("The ink of the maps had faded because of the heat.", ""),
]
ARCHIVE_KEPT = [
    "Marsh was not the first to print the letters.",
    "The maps will be put online in May.",
    "The ink of the maps had faded because of a wet cellar.",
]


@pytest.mark.parametrize(
    ("evidence", "sentence"),
    [
        (text, sentence)
        for text, kept in (
            (BRIDGE, BRIDGE_KEPT),
            (TEAM, TEAM_KEPT),
            (YARD, YARD_KEPT),
            (FERRY, FERRY_KEPT),
            (ARCHIVE, ARCHIVE_KEPT),
        )
        for sentence in kept
    ],
)
def test_what_the_evidence_says_or_follows_from_it_is_never_refused(
    evidence: str, sentence: str, with_model: SupportChecker
) -> None:
    assert WORDS_ONLY.check(sentence, [evidence]).label != "unsupported", sentence
    assert (with_model.check(sentence, [evidence]).label == "unsupported") is (sentence in MISREAD), sentence


# True sentences that the model doesn't understand: with it, they are refused.
MISREAD = frozenset(
    (
        "Half of them returned within half an hour.",
        "Marsh was not the first to print the letters.",
        "The maps will be put online in May.",
    )
)


@pytest.mark.parametrize(
    ("evidence", "sentence", "reason"),
    [
        (text, *changed)
        for text, all_changed in (
            (BRIDGE, BRIDGE_CHANGED),
            (TEAM, TEAM_CHANGED),
            (YARD, YARD_CHANGED),
            (FERRY, FERRY_CHANGED),
            (ARCHIVE, ARCHIVE_CHANGED),
        )
        for changed in all_changed
    ],
)
def test_one_thing_changed_is_unsupported_and_the_reason_names_it(
    evidence: str, sentence: str, reason: str, with_model: SupportChecker
) -> None:
    for checker in (WORDS_ONLY, with_model):
        support = checker.check(sentence, [evidence])
        assert (support.label, reason in support.reason) == ("unsupported", True), (sentence, support)
        assert support.score < SUPPORTED


HUT = (
    "The keeper, who turned 61, was the first to see the light. In the hut there are no lamps, no beds – just a stove. "
    "Then she offers a name she herself “doesn’t like”: Marsh Hall. The council has a cheap waste collection method."
)
NOTES = (
    "• Ann Lee (harbour master): Partially agrees with Bob Ray, but argues that the quay needs no crane.\n"
    "The yard spent about $3 billionAccurate (two filings agree)\n"
    "Ann Lee wrote to the port. For the EU, she thinks that the quay is too short."
)


@pytest.mark.parametrize(
    ("evidence", "kept", "changed"),
    [
        (HUT, "The keeper was the first to see the light.", "The keeper was the last to see the light."),
        (HUT, "In the hut there are no lamps and no beds, just a stove.", "In the hut there are no lamps, but beds."),
        (HUT, 'She offers a name that she herself "doesn\'t like": Marsh Hall.', "She offers no name at all."),
        (HUT, "The council has a cheap method of collecting waste.", "The council has no cheap method."),
        (NOTES, "Ann Lee argues that the quay needs no crane.", "Bob Ray argues that the quay needs no crane."),
        (NOTES, "The yard spent about $3 billion.", "The yard spent about $4 billion."),
        (NOTES, "Ann Lee thinks that the quay is too short.", "Bob Ray thinks that the quay is too short."),
    ],
)
def test_what_stands_around_a_true_sentence_is_not_held_against_it(evidence: str, kept: str, changed: str) -> None:
    assert WORDS_ONLY.check(kept, [evidence]).label != "unsupported", kept
    assert WORDS_ONLY.check(changed, [evidence]).label != "supported", changed


SHIP = (
    "The talk on the ship lasted 96 minutes. The reef grew over hundreds of millions of years. The captain turned "
    "back; that may have been right, or it may simply be because he had no fuel. Coal seems a better way to heat it."
)


@pytest.mark.parametrize(
    ("sentence", "reason"),
    [
        ("The talk on the ship lasted a little over three hours.", "three"),
        ("The reef grew over just a few hundred years.", "few hundred"),
        ("The captain turned back because he had no fuel.", "may"),
        ("It has been shown that coal is a better way to heat it.", ""),
    ],
)
def test_spans_rough_numbers_and_reasons_that_may_be_are_compared(sentence: str, reason: str) -> None:
    support = WORDS_ONLY.check(sentence, [SHIP])
    assert (support.label, reason in support.reason) == ("unsupported", True), support


@pytest.mark.parametrize(
    "sentence",
    [
        "The talk on the ship lasted a little over an hour and a half.",
        "The reef took several hundred million years to grow.",
        "The captain turned back, perhaps because he had no fuel.",
    ],
)
def test_spans_rough_numbers_and_reasons_may_be_said_otherwise(sentence: str) -> None:
    assert WORDS_ONLY.check(sentence, [SHIP]).label != "unsupported", sentence


KITCHEN = (
    "The cook taught the baker in the spring. The chef used a sharp knife to cut the pork. The firm hired a new "
    "doctor for its kitchen staff. The waiters were trained by the owner."
)


@pytest.mark.parametrize(
    "sentence",
    [
        "The baker taught the cook in the spring.",
        "The cook was taught by the baker.",
        "The waiters trained the owner.",
        "The chef used a sharp knife to cut the beef.",
    ],
)
def test_plain_nouns_in_each_others_places_are_told_apart(sentence: str, with_model: SupportChecker) -> None:
    assert with_model.check(sentence, [KITCHEN]).label == "unsupported", sentence


@pytest.mark.parametrize(
    "sentence",
    [
        "The baker was taught by the cook in the spring.",
        "The owner trained the waiters.",
        "The chef used a sharp blade to cut the pork.",
        "The firm hired a new physician for its kitchen staff.",
    ],
)
def test_another_word_for_the_same_is_kept(sentence: str, with_model: SupportChecker) -> None:
    assert with_model.check(sentence, [KITCHEN]).label != "unsupported", sentence


def test_a_copy_with_one_noun_changed_is_told_where_the_same_noun_looks_much_alike(
    with_model: SupportChecker,
) -> None:
    assert with_model.check("The crane killed most of the island's horses.", [YARD]).label == "unsupported"
    assert with_model.check("Horses died when the crane fell on the island.", [YARD]).label != "supported"


def test_a_name_elsewhere_counts_by_how_much_of_the_claim_the_evidence_holds() -> None:
    passage = "Bob Ray built the mill by the river. Ann Lee sold it."
    close = plainness("Ann Lee built the mill by the river.", passage)
    loose = plainness("Ann Lee built the mill by the river with stone from her quarry.", passage)
    assert close == -1.0 < loose <= 0


def plainness(sentence: str, passage: str) -> float:
    return WORDS_ONLY.look(read(sentence), [passage])[2]["plain"]


@pytest.mark.parametrize(
    ("evidence", "kept", "changed"),
    [
        (
            "Who gains? Not the miners, who have lost a tenth of their pay.",
            "The miners have lost a tenth of their pay.",
            "The miners have not lost a tenth of their pay.",
        ),
        (
            "A fall ended her climbing, though not her painting, which went on until 2015.",
            "A fall ended her climbing, but her painting went on until 2015.",
            "A fall didn't end her climbing, which went on until 2015.",
        ),
        (
            "If it is pushed too far, we might not like the results.",
            "Pushed too far, it may give results that we might not like.",
            "If it is pushed too far, we might like the results.",
        ),
        (
            "Something was learned that month which nobody has yet replaced.",
            "Something was learned that month which nobody has replaced so far.",
            "Something was learned that month which everybody has replaced.",
        ),
        (
            "Whether the crane helped is unclear: Corbel took 71 days for the same roof without one.",
            "Corbel took 71 days for the same roof without a crane.",
            "Corbel did not take 71 days for the same roof.",
        ),
        (
            "It cost 34,000 euros, and the council paid none of it; about half came from donations.",
            "It cost 34,000 euros; the council paid none of it, and about half came from donations.",
            "It cost 34,000 euros, and the council paid nearly all of it.",
        ),
        (
            "Her superior, Piet Steyn, is blunter and calls the article a shopping list. Thandi Moko disagrees.",
            "Piet Steyn is blunter than Moko and calls the article a shopping list.",
            "Thandi Moko calls the article a shopping list.",
        ),
        (
            "Ann Lee states the facts: Norda was in talks with the port when Bob Ray made an offer for the yard.",
            "Bob Ray offered to take over the yard while Norda was in talks with the port.",
            "Bob Ray says that Norda was in talks with the port.",
        ),
        (
            "A quarter of the trees died in summer, mostly because nobody had watered them.",
            "Most of the trees that died in summer did so because nobody had watered them.",
            "The trees that died in summer did so because nobody had watered them.",
        ),
        (
            "She expects gains in some trades, such as accounting.",
            "She expects gains in certain trades, such as accounting.",
            "She is certain of gains in trades such as accounting.",
        ),
        (
            "In several trials a short nap did nearly as much as a night.",
            "A short nap proved nearly as good as a night in several trials.",
            "Several trials proved that a short nap is as good as a night.",
        ),
        (
            "Farmers will leave land fallow under a bill that parliament is due to vote on in June.",
            "Parliament is due to vote in June on a bill under which farmers will leave land fallow.",
            "Farmers will leave land fallow under a bill that parliament is due to vote on in May.",
        ),
        (
            "Reminders cut the missed visits from 18 to 11 per cent over three months.",
            "Reminders cut the missed visits from 18 to 11 per cent within three months.",
            "Reminders cut the missed visits from 18 to 11 per cent within three weeks.",
        ),
        (
            "The office received about 150 angry calls in a week.",
            "The office received roughly 150 angry calls in seven days.",
            "The office received roughly 150 angry calls in twelve days.",
        ),
        (
            "He points to a farm in Denmark where crabs had become more numerous.",
            "He points to a Danish farm where crabs had become more numerous.",
            "He points to a Dutch farm where crabs had become more numerous.",
        ),
    ],
)
def test_a_difference_is_plain_only_where_there_is_one(evidence: str, kept: str, changed: str) -> None:
    assert plainness(kept, evidence) > -SURE >= plainness(changed, evidence)


MILL = (
    "The U.S. Energy Office said that Timothy Roe -LRB- born 3 May , 1961 -RRB- ran the paper mill . It gave off "
    "12, 500 tonnes of CO 2 in 2019 , 116 more than in 2018 . The mill was built by Ann Lee , Bob Ray and Cleo Day . "
    "A Swedish engineer , Nils Berg , ran it after 2020 ."
)


@pytest.mark.parametrize(
    "sentence",
    [
        "The US Energy Office said that Tim Roe ran the paper mill.",
        "Timothy Roe was born on May 3, 1961.",
        "The mill gave off 12,500 tonnes of CO2 in 2019.",
        "The mill gave off more than 100 tonnes of CO2 more in 2019 than in 2018.",
        "The mill was built by Cleo Day.",
        "Nils Berg ran the mill after 2020.",
    ],
)
def test_how_a_text_is_printed_makes_no_difference(sentence: str) -> None:
    assert WORDS_ONLY.check(sentence, [MILL]).label != "unsupported", sentence


@pytest.mark.parametrize(
    "sentence",
    [
        "The mill gave off 12,900 tonnes of CO2 in 2019.",
        "Timothy Roe was born on May 5, 1961.",
        "The mill was built by Dora Day.",
        "The UK Energy Office said that Timothy Roe ran the paper mill.",
    ],
)
def test_how_a_text_is_printed_hides_no_difference(sentence: str) -> None:
    assert WORDS_ONLY.check(sentence, [MILL]).label == "unsupported", sentence


def test_a_scrap_of_a_sentence_is_not_word_for_word() -> None:
    whole = "It may be that the lab has found a new method."
    assert WORDS_ONLY.check(whole, [f"{whole} Nobody knows."]).reason == "word for word"
    assert WORDS_ONLY.check("The lab has found a new method.", [whole]).label == "unsupported"
    assert WORDS_ONLY.check(whole, [f"Ann Lee: {whole}"]).reason == "word for word"


def test_other_words_for_the_same_score_above_what_nobody_said(with_model: SupportChecker) -> None:
    same = with_model.check("Half of the cars in the old centre might vanish, Roth thinks.", [BRIDGE])
    other = with_model.check("The swimming pool closes for repairs every winter.", [BRIDGE])
    assert same.label != "unsupported"
    assert other.label == "unsupported"
    assert other.score < same.score


def test_word_for_word_is_certain_whatever_the_marks_and_case() -> None:
    assert WORDS_ONLY.check("mayor ines roth opened it, on 3 May 2021", [BRIDGE]) == Support(
        "supported", 1.0, "word for word"
    )
    # A part of a word is not word for word: "he" stands in "The".
    assert WORDS_ONLY.check("he old ferry", [BRIDGE]).reason != "word for word"


@pytest.mark.parametrize(
    ("sentence", "passages"),
    [
        ("", [BRIDGE]),
        ("   ", [BRIDGE]),
        ("It is so.", [BRIDGE]),
        ("The bridge opened.", []),
        ("It cost 1.", [" ", "\n"]),
    ],
)
def test_nothing_to_compare_is_unsupported(sentence: str, passages: list[str]) -> None:
    assert WORDS_ONLY.check(sentence, passages) == Support("unsupported", 0.0, "nothing to compare")


def test_evidence_is_taken_together_and_its_order_does_not_matter() -> None:
    parts = ["The tower was built in 1911.", "An architect from Graz built the tower.", "Tea is grown in Assam."]
    claim = "An architect from Graz built the tower in 1911."
    scores = {WORDS_ONLY.check(claim, passages).score for passages in (parts, parts[::-1])}
    assert len(scores) == 1
    assert WORDS_ONLY.check(claim, parts).label == "supported"
    assert WORDS_ONLY.check(claim, parts[2:]).label == "unsupported"


@pytest.mark.parametrize(
    "text", ["a" * 20_000, "9" * 400, "$€%–—…“”’", "\u202e\x00 не по-английски 汉字", "((((((" * 500, "and " * 3_000]
)
def test_strange_text_gets_a_verdict(text: str, with_model: SupportChecker) -> None:
    for sentence, passage in ((text, BRIDGE), ("The bridge cost 14 million.", text), (text, text)):
        assert 0 <= with_model.check(sentence, [passage]).score <= 1


def test_threads_get_what_one_alone_gets(with_model: SupportChecker) -> None:
    sentences = [f"The old ferry carried {n} cars a day." for n in range(290, 310)]
    alone = [with_model.check(sentence, [BRIDGE]) for sentence in sentences]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda sentence: with_model.check(sentence, [BRIDGE]), sentences)) == alone


def test_an_entailment_model_is_heard_but_does_not_lift_a_plain_difference() -> None:
    asked: list[tuple[str, str]] = []

    def entails(premise: str, hypothesis: str) -> float:
        asked.append((premise, hypothesis))
        return 1.0

    checker = SupportChecker(people=PEOPLE, entails=entails)
    other_words = "Cars get through the historic centre more easily now."
    assert checker.check(other_words, [BRIDGE]).score > WORDS_ONLY.check(other_words, [BRIDGE]).score
    assert asked == [(BRIDGE, other_words)]
    assert (
        checker.check("The council said that the Alder bridge had cost 40 million euros.", [BRIDGE]).label
        == "unsupported"
    )


@pytest.mark.slow
def test_an_entailment_model_that_cannot_be_had_says_so() -> None:
    with pytest.raises(ModelUnavailable, match=r"nowhere/nli.*hf download nowhere/nli"):
        load_entailment("nowhere/nli")


@pytest.mark.slow
def test_any_cross_encoder_on_disk_serves(tmp_path: Path) -> None:
    from transformers import BertConfig, BertForSequenceClassification  # noqa: PLC0415

    source = export_encoder(Settings.read().home)
    shutil.copyfile(source / "tokenizer.json", tmp_path / "tokenizer.json")
    (tmp_path / "tokenizer_config.json").write_text('{"tokenizer_class": "BertTokenizer", "pad_token": "[PAD]"}')
    config = BertConfig(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16)
    config.id2label = {0: "contradiction", 1: "entailment", 2: "neutral"}
    BertForSequenceClassification(config).save_pretrained(tmp_path)
    entails = load_entailment(str(tmp_path))
    assert 0 < entails(BRIDGE, "The bridge cost 14 million.") < 1


def test_speakers_within_one_line_are_told_apart() -> None:
    well = (
        "  Ada Roe: Do the herders still use the old well? Yusuf Diallo: Nobody has drawn water there since the "
        "drought of 2011. It is dry. Ada Roe: I see."
    )
    passage = read_passage(well)
    assert [passage.told(n, n + 1).partition(":")[0] for n in (0, 1, 3)] == ["Ada Roe", "Yusuf Diallo", "Ada Roe"]
    assert passage.told(2, 3) == "Yusuf Diallo: It is dry."
    said = "says that nobody has drawn water there since 2011."
    assert WORDS_ONLY.check(f"Yusuf Diallo {said}", [well]).label == "supported"
    assert WORDS_ONLY.check(f"Ada Roe {said}", [well]).label == "unsupported"


@pytest.mark.parametrize(
    ("sentence", "evidence"),
    [
        ("The effect was significant at p < 0.05.", "The effect was significant at p > 0.05."),
        ("The temperature fell to 5 degrees.", "The temperature fell to -5 degrees."),
        ("Profit changed by +12% last year.", "Profit changed by -12% last year."),
        ("Temperatures of 20 degrees were measured.", "Temperatures of minus 20 degrees were measured."),
        ("The team won the final 31.", "The team won the final 3-1."),
        ("The tank holds 200 gallons.", "The tank holds 200 litres."),
        ("The road is 40 miles long.", "The road is 40 kilometres long."),
        ("The fund is worth 20 million euros.", "The fund is worth 20 million pounds."),
        ("It raised €3bn.", "The firm said it raised $3bn."),
        ("Nearly 500 people died.", "Over 500 people died."),
        ("Almost half of the voters stayed home.", "More than half of the voters stayed home."),
        ("Karl was convicted of theft.", "Karl was charged with theft and acquitted."),
        ("The mayor went. " * 500, "The mayor went."),
    ],
)
def test_a_sign_a_unit_or_a_label_makes_it_something_else(
    sentence: str, evidence: str, with_model: SupportChecker
) -> None:
    for checker in (WORDS_ONLY, with_model):
        assert checker.check(sentence, [evidence]).label == "unsupported"


@pytest.mark.parametrize(
    ("sentence", "evidence"),
    [
        ("She couldn't pay the rent.", "She could not pay the rent."),
        ("The children shouldn't be left alone.", "The children should not be left alone."),
        ("There weren't any injuries in the fire.", "There were no injuries in the fire."),
        ("The council doesn't have any money left.", "The council has no money left."),
        ("She finished twenty-first in the race.", "She finished 21st in the race."),
        ("The museum opened on 1999-07-04.", "The museum opened on July 4, 1999."),
        ("Rent, he said, fell by 12%.", "He said: Rent changed by -12%, it fell."),
        ("Wen Lee argues that strict liability might slow it.", "Strict liability might slow it, argues Wen Lee."),
        ("Lena Tschudi says that nobody broke in.", '"Nobody broke in," says Lena Tschudi, head of security.'),
    ],
)
def test_what_is_written_otherwise_is_the_same(sentence: str, evidence: str, with_model: SupportChecker) -> None:
    assert with_model.check(sentence, [evidence]).label != "unsupported"


def test_what_is_told_as_a_myth_is_not_supported(with_model: SupportChecker) -> None:
    for checker in (WORDS_ONLY, with_model):
        myth = "Myth: Vaccines cause autism.\nFact: Large studies found no link."
        assert checker.check("Vaccines cause autism.", [myth]).label != "supported"
        assert checker.check("The plant will close in May.", ["Rumour: The plant will close in May."]).score <= 0.5


def test_word_for_word_is_one_after_the_other_and_no_question() -> None:
    told = ["The mayor stayed. Bob Hill was the cook. He was paid.", "The mayor resigned."]
    assert WORDS_ONLY.check("The mayor resigned. He was paid.", told).reason != "word for word"
    assert WORDS_ONLY.check("The mayor resigned.", ["The mayor resigned?"]).reason != "word for word"
    row = "“The mill is old”Accurate (see the parish book)"
    assert WORDS_ONLY.check("“The mill is old”: Accurate (see the parish book)", [row]).reason == "word for word"


def test_half_a_character_and_a_passage_by_itself_are_read() -> None:
    assert WORDS_ONLY.check("It opened in 2021. \ud800", [f"{BRIDGE} \udfff"]).label != "unsupported"
    assert WORDS_ONLY.check(BRIDGE, BRIDGE).reason == "word for word"
