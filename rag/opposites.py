"""Words that exclude each other: "more" and "less", "known" and "unknown", "days" and "weeks".

Closed lists of general English; knows nothing of claims or evidence.
"""

from __future__ import annotations

import re

from rag.terms import terms

_OPPOSITES = """
more greater higher larger bigger up above exceed exceeds exceeded upward | less fewer lower smaller down below downward
gain gains gained gaining | loss lose loses losing lost
over | under
slightly modestly marginally somewhat mildly \
| greatly sharply dramatically substantially hugely vastly enormously steeply
doubled doubles doubling | halved halves halving | tripled triples tripling
unanimously unanimous | majority
minimum minimal | maximum maximal
equally | less
equally | more
ahead | behind
good great well excellent excellently brilliantly | bad poor badly poorly
recent recently modern new contemporary | ancient old
hasten hastens hastened speed speeds accelerate accelerates accelerated accelerating \
| delay delays delayed slow slows slowed
large big huge massive vast | small little tiny
long longer | short shorter
rich richer | poor poorer
hot hotter warm warmer warming | cold colder cool cooler cooling
top | bottom
longest | shortest
largest biggest greatest | smallest
highest | lowest
oldest | youngest newest
fastest | slowest
earliest | latest
northernmost | southernmost
easternmost | westernmost
most | least fewest
inside within | outside
always | never | sometimes
public publicly | private privately secret
open opened opens opening | close closed closes closing
north northern | south southern | east eastern | west western
left | right
morning | evening | afternoon | night
spring | summer | autumn fall | winter
minutes | hours | days | weeks | months | years | decades | centuries
father | mother | son | daughter | brother | sister | husband | wife | uncle | aunt | cousin | nephew | niece \
| grandfather | grandmother
king | queen | prince | princess
child children | adult adults
red | blue | green | yellow | black | white | brown | orange | purple | pink | grey gray
gold | silver | bronze
physics | chemistry | biology | medicine | mathematics | economics | philosophy | psychology
monday | tuesday | wednesday | thursday | friday | saturday | sunday
teacher teachers | student students pupil pupils
buyer buyers | seller sellers
import imports imported | export exports exported
hire hired hires | fire fired fires dismissed
allow allows allowed permit permits permitted | forbid forbids forbade forbidden ban bans banned prohibit prohibits \
prohibited prevent prevents prevented
love loves loved | hate hates hated
praise praised praises | criticise criticised criticises criticize criticized criticizes blame blamed
profit profits | loss losses
guilty | innocent
convicted | acquitted
alive living | dead
majority | minority
theory theoretical | practice practical
cause causes caused | prevent prevents prevented
strengthen strengthens strengthened reinforce reinforces reinforced | weaken weakens weakened
increase increased increasing rise rose risen rising grow grows grew growing mounting \
| decrease decreased decreasing fall fell fallen falling shrink shrinks shrank shrinking decline declined declining \
drop diminish diminishes diminished diminishing
before earlier | after later afterwards
better improve improved superior best | worse worsen inferior worst
easy easier simple simpler simplicity | hard harder difficult difficulty complex complicated complexity
fast faster quick quickly rapid rapidly | slow slower slowly
strong stronger strength strongly powerful ample considerable | weak weaker weakly weakness little scant
safe safer low-risk | risky riskier dangerous unsafe
agree agrees agreed support supports accept accepts | disagree disagrees oppose opposes dispute disputes reject rejects
success succeed succeeds succeeded successful excel excels excelled | fail fails failed failure
first | last final
early | late
win wins won winning winner | lose loses lost losing loser
elder eldest | younger youngest
mild | moderate | severe
tenant tenants | landlord landlords
employer employers | employee employees
doctor doctors | patient patients
lender lenders | borrower borrowers
plaintiff | defendant
parent parents | child children
male | female
men | women
boys | girls
upper | lower
inner internal | outer external
front | rear
entrance | exit
arrive arrives arrived arrival | depart departs departed departure
thick thicker | thin thinner
deep deeper | shallow shallower
heavy heavier | light lighter
wet wetter | dry drier
loud louder | quiet quieter
urban | rural
domestic | foreign
temporary | permanent
voluntary | compulsory mandatory
supply | demand
surplus | deficit shortage
victory victories | defeat defeats
ally allies friend friends | enemy enemies
borrow borrows borrowed | lend lends lent
send sends sent | receive receives received
expand expands expanded | contract contracts contracted shrank
widen widens widened | narrow narrows narrowed
build builds built | demolish demolishes demolished destroy destroys destroyed
attack attacks attacked | defend defends defended
encourage encourages encouraged | discourage discourages discouraged
upstream | downstream
solid | liquid | gas
junior | senior
amateur | professional
past | future
optimistic | pessimistic
possible able | impossible unable
true right correct accurate | false wrong incorrect inaccurate
central main core major | peripheral minor marginal
broad wide general | narrow specific
cheap cheaper | expensive costly
begin begins began start starts started | end ends ended stop stops stopped finish finished
join joined | leave left
buy bought acquire | sell sold
accept accepted | refuse refused decline
high | low
far | near nearby
older | newer younger
old | young
positive | negative
raises raised raise | lowers lowered cut
include includes | exclude excludes
full complete | empty partial
like likes love loved loves | dislike dislikes hate
confirmed confirm confirms proven prove | refuted refute refutes dismissed dismisses
necessary essential required | unnecessary optional
"""
# Each word -> the sets of words it belongs to, and its side there; words of other sides exclude it.
SIDES: dict[str, list[tuple[int, int]]] = {}
for _n, _line in enumerate(filter(None, _OPPOSITES.splitlines())):
    for _side, _words in enumerate(_line.split("|")):
        for _word in _words.split():
            SIDES.setdefault(_word, []).append((_n, _side))
# Each unit of time, weight, length, area or volume -> which of them it is.
UNITS = {
    word: kind
    for kind, words in enumerate(
        """second seconds|minute minutes|hour hours hourly|day days daily|week weeks weekly|month months monthly|
        year years yearly annual annually|decade decades|century centuries|milligram milligrams mg|gram grams|
        kilogram kilograms kg|tonne tonnes ton tons|millimetre millimetres millimeter millimeters mm|centimetre
        centimetres centimeter centimeters cm|metre metres meter meters|kilometre kilometres kilometer kilometers km|
        mile miles|inch inches|foot feet|yard yards|acre acres|hectare hectares|litre litres liter liters|gallon
        gallons|mph|kph""".split("|")
    )
    for word in words.split()
}
_PREFIX = re.compile(r"^(?:un|in|im|ir|il|dis|non)(?=[a-z]{4})")


def relation_of(one: str, other: str) -> int:
    """1 for words of one side, -1 for opposites, 0 for words that have nothing to do with each other."""
    if one == other:
        return int(one in SIDES or bool(_PREFIX.match(one)))
    for line, side in SIDES.get(one, ()):
        for line2, side2 in SIDES.get(other, ()):
            if line == line2:
                return 1 if side == side2 else -1
    shorter, longer = sorted((one, other), key=len)
    bare = _PREFIX.sub("", longer)
    return -int(bare != longer and terms(bare)[:1] == terms(shorter)[:1] != [])


def negative_prefix(word: str) -> bool:
    """Whether a lower-cased word may deny by how it begins: "unable", "impossible"."""
    return bool(_PREFIX.match(word))
