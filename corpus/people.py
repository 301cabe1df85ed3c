"""Who a corpus names: the people of its manifest, and the speakers of its transcripts."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

from corpus.blocks import Loaded

Name = Annotated[str, StringConstraints(pattern=r"\S")]
Role = Literal["guest", "host", "critic", "researcher", "other"]

# A meeting of a hundred speakers has no cast.
_MOST = 40
# Whoever asks in so many of their turns, and more than anybody else, leads the conversation.
_ASKS = 0.4
_HOST = re.compile(r"(?i)(?:host|interviewer|moderator) ?\d*")


class Person(BaseModel):
    """Someone whose views the sources report."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name
    aliases: tuple[Name, ...] = ()
    role: Role = "other"
    affiliation: str = ""

    @property
    def forms(self) -> tuple[str, ...]:
        """The full name and the shorter forms."""
        return (self.name, *self.aliases)


def speakers(texts: Mapping[str, Loaded], known: Sequence[Person]) -> Iterator[Person]:
    """The speakers of transcripts whom nobody made known, with the part that each seems to have: who asks is the
    host, and with a host whoever else speaks more than once is a guest. A manifest may say otherwise."""
    taken = {form.lower() for person in known for form in person.forms}
    turns: Counter[str] = Counter()
    roles: dict[str, Role] = {}
    for loaded in texts.values():
        if loaded.speakers:
            turns.update(span.name for span in loaded.speakers)
            roles |= _roles(loaded)
    names = [name for name, _ in turns.most_common(_MOST) if turns[name] > 1 and name.lower() not in taken]
    short = _short_forms(names)
    for name in names:
        aliases = tuple(form for form in short[name] if form.lower() not in taken)
        yield Person(name=name, aliases=aliases, role=roles[name])


def _roles(loaded: Loaded) -> dict[str, Role]:
    said: dict[str, list[bool]] = defaultdict(list)
    for span in loaded.speakers:
        said[span.name].append("?" in loaded.text[span.start : span.end])
    asks = {name: sum(questions) / len(questions) for name, questions in said.items() if len(questions) > 1}
    host = next((name for name in said if _HOST.fullmatch(name)), None)
    first, *others = sorted(asks, key=lambda name: -asks[name]) or [""]
    if host is None and others and asks[first] >= _ASKS and asks[first] > asks[others[0]]:
        host = first
    return {name: "host" if name == host else "guest" if host and name in asks else "other" for name in said}


def _short_forms(names: Iterable[str]) -> dict[str, list[str]]:
    """First and last names that only one of them has."""
    parts = {name: [word for word in (name.split()[0], name.split()[-1]) if word != name] for name in names}
    count = Counter(word for words in parts.values() for word in set(words))
    return {
        name: list(dict.fromkeys(w for w in words if count[w] == 1 and len(w) > 2 and w[0].isupper() and w.isalpha()))
        for name, words in parts.items()
    }
