"""True sentences -> copies that say something else in nearly the same words, and copies that say the same.

What a model of entailment trained on public pairs sees too little of: a number, a date, a name, a denial, a hedge, a
quantity or a direction changed, everything else kept. All of it is made by rules and chance; a seed decides.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

_MONTHS = "January February March April May June July August September October November December".split()
_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
_SMALL = "two three four five six seven eight nine ten eleven twelve fifteen twenty thirty forty fifty sixty".split()
_NUMBER = re.compile(r"(?<![\w.,-])\d+(?:,\d+)*(?:\.\d+)?(?![\w-])")
_SMALL_NUMBER = re.compile(rf"\b(?:{'|'.join(_SMALL)})\b", re.IGNORECASE)
_NAMED = re.compile(r"(?<![.!?:“\"]\s)(?<!^)\b[A-Z][a-z]+(?:\s[A-Z][a-z]+){0,2}\b")
_AUXILIARY = re.compile(
    r"\b(is|are|was|were|has|have|had|can|could|will|would|should|may|might|must|did|does|do)\b(?! not\b|n't\b)"
)
_DENIED = re.compile(r"\b(is|are|was|were|has|have|had|can|could|will|would|should|did|does|do)(?: not\b|n['’]t\b)")
_PAST = re.compile(r"\b(?:he|she|it|they|who|[A-Z][a-z]+) ((?:[a-z]+ly )?)([a-z]{3,}ed)\b")

# What takes the place of what: each pair both ways, unless it is read left to right only.
_HEDGES = """may -> will; might -> will; could -> will; may be -> is; might be -> is; likely -> certain to; probably ->
definitely; possibly -> certainly; perhaps -> certainly; approximately -> exactly; about -> exactly; roughly -> exactly;
nearly -> more than; almost -> fully; suggests -> proves; suggest -> prove; believes -> has proved; believe -> have
proved; appears to -> does; seems to -> does; expects -> knows; usually -> always; often -> always; sometimes -> always;
generally -> always; mostly -> entirely; largely -> entirely; so far -> for good; plans to -> has begun to; hopes to ->
will; aims to -> will; in part -> entirely; partly -> wholly; tends to -> always does; estimated -> confirmed"""
_QUANTITIES = """most -> all; some -> all; many -> all; several -> all; many -> few; most -> few; some -> no; all ->
some; all -> most; every -> hardly any; each -> no; few -> many; more than -> less than; less than -> more than; at
least -> at most; at most -> at least; over -> under; one of the -> the only one of the; half -> all; both -> neither;
only -> not only; majority -> minority; up to -> more than; fewer than -> more than"""
_DIRECTIONS = """more <-> less; higher <-> lower; larger <-> smaller; increase <-> decrease; increased <-> decreased;
increases <-> decreases; rose <-> fell; rise <-> fall; before <-> after; first <-> last; best <-> worst; better <->
worse; faster <-> slower; older <-> younger; earlier <-> later; won <-> lost; wins <-> loses; north <-> south; east <->
west; northern <-> southern; eastern <-> western; left <-> right; always <-> never; began <-> ended; started <->
stopped; opened <-> closed; bought <-> sold; joined <-> left; accepted <-> rejected; agreed <-> refused; supported <->
opposed; supports <-> opposes; positive <-> negative; success <-> failure; succeeded <-> failed; easy <-> hard; strong
<-> weak; stronger <-> weaker; public <-> private; male <-> female; father <-> mother; son <-> daughter; brother <->
sister; husband <-> wife; man <-> woman; early <-> late; high <-> low; long <-> short; big <-> small; large <-> small;
old <-> new; same <-> different; without <-> with; possible <-> impossible; above <-> below; allowed <->
banned; gained <-> lost; cause <-> prevent; causes <-> prevents; caused <-> prevented; improves <-> worsens; improved
<-> worsened; cheap <-> expensive; rich <-> poor; safe <-> dangerous; true <-> false; correct <-> wrong; minimum <->
maximum; morning <-> evening; winter <-> summer; days <-> weeks; months <-> years; thousand <-> million; million <->
billion; because of <-> despite; because <-> although; inside <-> outside; hot <-> cold; up <-> down"""
_SAME = """did not <-> didn't; does not <-> doesn't; do not <-> don't; is not <-> isn't; was not <-> wasn't; cannot <->
can't; are not <-> aren't; were not <-> weren't; has not <-> hasn't; have not <-> haven't; about <-> approximately;
roughly <-> approximately; because <-> since; large <-> big; began <-> started; but <-> yet; however <-> but; also <->
too; nearly <-> almost; maybe <-> perhaps; percent <-> per cent; more than <-> over; about <-> around; said <-> stated;
says <-> states; believes <-> thinks; argues <-> maintains; shows <-> demonstrates; film <-> movie; often <->
frequently; many <-> numerous; such as <-> like; while <-> whereas; people <-> persons; children
<-> kids; uses <-> makes use of; helps <-> assists; bought <-> purchased; two <-> 2; three <-> 3; four <-> 4; five
<-> 5; ten <-> 10; twelve <-> 12"""

# A seeded choice and a sentence -> another sentence, or None where there is nothing to change.
Change = Callable[[random.Random, str], str | None]


def _table(text: str) -> tuple[tuple[str, str], ...]:
    pairs = []
    for rule in text.replace("\n", " ").split(";"):
        both = "<->" in rule
        one, other = (" ".join(side.split()) for side in re.split("<->|->", rule))
        pairs += [(one, other), (other, one)] if both else [(one, other)]
    return tuple(pairs)


def _by_table(table: Sequence[tuple[str, str]]) -> Change:
    def change(rng: random.Random, sentence: str) -> str | None:
        hits = [
            (found, new)
            for old, new in table
            for found in re.finditer(rf"\b{re.escape(old)}\b", sentence, re.IGNORECASE)
        ]
        if not hits:
            return None
        found, new = rng.choice(hits)
        new = new[:1].upper() + new[1:] if found[0][:1].isupper() else new
        return sentence[: found.start()] + new + sentence[found.end() :]

    return change


def _replace(
    rng: random.Random, sentence: str, found: Sequence[re.Match[str]], new: Callable[[str], str | None]
) -> str | None:
    if not found:
        return None
    hit = rng.choice(found)
    other = new(hit[0])
    return None if other is None or other == hit[0] else sentence[: hit.start()] + other + sentence[hit.end() :]


def change_number(evidence: str) -> Change:
    """Another number in the place of one: from elsewhere in the evidence, or near it."""

    def change(rng: random.Random, sentence: str) -> str | None:
        def new(old: str) -> str | None:
            if old.lower() in _SMALL:
                return rng.choice([word for word in _SMALL if word != old.lower()])
            value = float(old.replace(",", ""))
            others: list[str] = [n for n in _NUMBER.findall(evidence) if n != old and len(n) >= len(old) - 1]
            if others and rng.random() < 0.4:
                return rng.choice(others)
            if "." in old:
                return f"{value + rng.choice([-2, -1, 1, 2, 10]) * rng.choice([0.1, 0.5, 1, 1.1]):.1f}"
            if 1000 <= value <= 2100 and "," not in old:
                return str(int(value) + rng.choice([-30, -12, -10, -5, -3, -2, -1, 1, 2, 3, 5, 10, 12, 30]))
            by = rng.choice([0.1, 0.5, 2, 3, 10, 1.5, 0.8, 1.2])
            other = max(0, round(value * by)) if value > 9 else value + rng.choice([1, 2, 3, 5])
            return f"{int(other):,}" if "," in old else str(int(other))

        return _replace(rng, sentence, [*_NUMBER.finditer(sentence), *_SMALL_NUMBER.finditer(sentence)], new)

    return change


def change_date(rng: random.Random, sentence: str) -> str | None:
    """Another month, or another day of the week."""
    for names in (_MONTHS, _DAYS):
        found = [
            hit
            for hit in re.finditer(rf"\b(?:{'|'.join(names)})\b(?! not| be)", sentence)
            if hit[0] != "May" or hit.start()
        ]
        if found:
            return _replace(rng, sentence, found, lambda old, names=names: rng.choice([n for n in names if n != old]))  # type: ignore[misc]
    return None


def change_name(evidence: str, strangers: Sequence[str]) -> Change:
    """Another name in the place of one: from elsewhere in the evidence, or a stranger's."""

    def change(rng: random.Random, sentence: str) -> str | None:
        near = sorted(set(_NAMED.findall(evidence)) - {*_MONTHS, *_DAYS})

        def new(old: str) -> str | None:
            others = [name for name in near if not set(name.split()) & set(old.split()) and name not in sentence]
            pool = others if others and rng.random() < 0.7 else list(strangers)
            return rng.choice(pool) if pool else None

        found = [hit for hit in _NAMED.finditer(sentence) if hit[0] not in (*_MONTHS, *_DAYS)]
        return _replace(rng, sentence, found, new)

    return change


def swap_names(rng: random.Random, sentence: str) -> str | None:
    """Two names in each other's places."""
    opens = re.match(r"[A-Z][a-z]+\s[A-Z][a-z]+\b(?!['’]s)", sentence)
    found = [*([opens] if opens else []), *_NAMED.finditer(sentence, opens.end() if opens else 0)]
    if len(found) < 2:
        return None
    n = rng.randrange(len(found) - 1)
    one, other = found[n], found[n + 1]
    between = sentence[one.end() : other.start()]
    if one[0] == other[0] or between.strip() in ("and", "or", ",", "of", "in", ""):
        return None
    return sentence[: one.start()] + other[0] + between + one[0] + sentence[other.end() :]


def change_denial(rng: random.Random, sentence: str) -> str | None:
    """A denial put in or taken out."""
    if denied := list(_DENIED.finditer(sentence)):
        hit = rng.choice(denied)
        return sentence[: hit.start()] + hit[1] + sentence[hit.end() :]
    if free := list(_AUXILIARY.finditer(sentence)):
        hit = rng.choice(free[:2])
        denial = rng.choice([" not", " not", " never"] if hit[0] not in ("did", "does", "do") else [" not"])
        return sentence[: hit.end()] + denial + sentence[hit.end() :]
    if past := list(_PAST.finditer(sentence)):
        hit = rng.choice(past)
        return sentence[: hit.start(1)] + "never " + sentence[hit.start(1) :]
    return None


def swap_speaker(evidence: str) -> Change:
    """A claim put into the mouth of somebody else of the evidence."""

    def change(rng: random.Random, sentence: str) -> str | None:
        said = re.match(
            r"(?:According to )?([A-Z][\w.]+(?: [A-Z][\w.]+){0,2})(?:,| (?:says|said|argues|thinks|believes|claims|"
            r"notes|wrote|warns|expects|found|announced|told|stated|added)\b)",
            sentence,
        )
        names: list[str] = sorted(set(_NAMED.findall(evidence)))
        others = [name for name in names if said and name not in said[1] and said[1] not in name]
        if said is None or not others:
            return None
        return sentence[: said.start(1)] + rng.choice(others) + sentence[said.end(1) :]

    return change


def changes(evidence: str, strangers: Sequence[str]) -> dict[str, Change]:
    """Every way to alter a sentence, by the name of what it alters."""
    return {
        "number": change_number(evidence),
        "date": change_date,
        "name": change_name(evidence, strangers),
        "swap": swap_names,
        "negation": change_denial,
        "hedge": _change_hedge,
        "quantity": _change_quantity,
        "direction": _change_direction,
        "speaker": swap_speaker(evidence),
    }


_change_hedge = _by_table(_table(_HEDGES))
_change_quantity = _by_table(_table(_QUANTITIES))
_change_direction = _by_table(_table(_DIRECTIONS))
say_otherwise = _by_table(_table(_SAME))
