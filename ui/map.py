"""Who bears on what, as a figure: the sections of the main source in a ring, around them the sources."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from html import escape
from typing import Any

import networkx as nx
import plotly.graph_objects as go

from corpus import Corpus, Source
from ui.render import STANCE_WORDS
from ui.suggest import main_source

MOST = 60  # sources, and sections; more can't be told apart
COLORS = {"primary": "#a8472f", "opposing": "#2f7f96", "supporting": "#5c8a3a", "evidence": "#a07818"}
_INNER, _OUTER, _EDGE = 0.74, 1.05, 1.76
_LETTERS = 18
_HEIGHT = 600  # pixels
_LETTER_WIDTH = 0.034  # of the figure's unit, at the size that labels have

Node = tuple[str, str]  # (source id, section label); a whole source has the label ""
Point = tuple[float, float]


def bearings(corpus: Corpus) -> nx.Graph:
    """Sections of the main source and the sources that say they bear on them; where none says so, each source
    with its own sections."""
    main = main_source(corpus)
    graph = nx.Graph()
    for source in corpus.sources[:MOST]:
        for label in source.bears_on:
            graph.add_edge((main.id, label), (source.id, ""))
    if not graph:
        for source in corpus.sources[:MOST]:
            for section in corpus.documents[source.id].sections[: MOST // len(corpus.sources[:MOST]) + 1]:
                graph.add_edge((source.id, section.label), (source.id, ""))
    return graph


def draw_map(corpus: Corpus) -> go.Figure:
    """The figure; each point carries its source's id and section as `customdata`, for the page's script."""
    graph = bearings(corpus)
    places = _places(corpus, graph)
    figure = go.Figure()
    by_stance = {stance: [s for s in corpus.sources if s.stance == stance and (s.id, "") in graph] for stance in COLORS}
    for stance, sources in by_stance.items():
        if sources:
            figure.add_trace(_edges(graph, places, sources, COLORS[stance], stance))
            figure.add_trace(_sources(corpus, graph, places, sources, stance))
    figure.add_trace(_sections(corpus, graph, places))
    for node, place in places.items():
        name = node[1] or _name(corpus.source_by_id[node[0]])
        figure.add_annotation(**_label(name, place, outwards=not node[1]))
    axis: dict[str, Any] = {"visible": False, "range": [-_EDGE, _EDGE], "fixedrange": True}
    figure.update_layout(
        xaxis=axis,
        yaxis=axis | {"scaleanchor": "x"},
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": "system-ui, Segoe UI, Roboto, Noto Sans, sans-serif", "size": 11},
        legend={"orientation": "h", "y": 0, "x": 0.5, "xanchor": "center", "font": {"size": 12}},
        hoverlabel={"align": "left"},
        dragmode=False,
        height=_HEIGHT,
        template="none",
    )
    return figure


def _places(corpus: Corpus, graph: nx.Graph) -> dict[Node, Point]:
    """Sections clockwise in reading order, sources near the middle of what they bear on."""
    order = [(s.id, section.label) for s in corpus.sources for section in corpus.documents[s.id].sections]
    inner = [node for node in order if node in graph]
    angles = {node: math.pi / 2 - 2 * math.pi * n / len(inner) for n, node in enumerate(inner)}
    outer = [(source.id, "") for source in corpus.sources if (source.id, "") in graph]
    middle = {node: _middle([angles[section] for section in graph[node]]) for node in outer}
    ring = sorted(outer, key=lambda node: -middle[node])
    turn = _best_turn([middle[node] for node in ring])
    angles |= {node: turn - 2 * math.pi * n / len(ring) for n, node in enumerate(ring)}
    radius = {True: _INNER, False: _OUTER}
    return {
        node: (radius[bool(node[1])] * math.cos(angle), radius[bool(node[1])] * math.sin(angle))
        for node, angle in angles.items()
    }


def _middle(angles: Sequence[float]) -> float:
    """The circular mean."""
    return math.atan2(sum(map(math.sin, angles)), sum(map(math.cos, angles)))


def _best_turn(wanted: Sequence[float]) -> float:
    """How to turn an even ring so that its points lie, on the whole, nearest to where they are wanted."""
    return _middle([angle + 2 * math.pi * n / len(wanted) for n, angle in enumerate(wanted)])


def _edges(
    graph: nx.Graph, places: dict[Node, Point], sources: Sequence[Source], color: str, stance: str
) -> go.Scatter:
    xs: list[float | None] = []
    ys: list[float | None] = []
    for source in sources:
        for section in graph[source.id, ""]:
            (x0, y0), (x1, y1) = places[source.id, ""], places[section]
            # A curve whose handle lies on the source's own ray: lines part early and don't cross the middle.
            for t in (step / 12 for step in range(13)):
                a, b, c = (1 - t) ** 2, 2 * t * (1 - t), t * t
                xs.append(a * x0 + b * 0.66 * x0 + c * x1)
                ys.append(a * y0 + b * 0.66 * y0 + c * y1)
            xs.append(None)
            ys.append(None)
    line = {"color": color, "width": 1}
    return go.Scatter(
        x=xs, y=ys, mode="lines", line=line, opacity=0.4, hoverinfo="skip", showlegend=False, legendgroup=stance
    )


def _sources(
    corpus: Corpus, graph: nx.Graph, places: dict[Node, Point], sources: Sequence[Source], stance: str
) -> go.Scatter:
    points = [places[source.id, ""] for source in sources]
    words = [len(corpus.text(source.id).split()) for source in sources]
    return go.Scatter(
        x=[x for x, _ in points],
        y=[y for _, y in points],
        mode="markers",
        name=STANCE_WORDS[stance],
        legendgroup=stance,
        marker={"color": COLORS[stance], "size": [9 + min(9, math.sqrt(n) / 6) for n in words], "opacity": 1},
        customdata=[[source.id, ""] for source in sources],
        hovertext=[_hover(source, [label for _, label in graph[source.id, ""]]) for source in sources],
        hoverinfo="text",
    )


def _hover(source: Source, labels: Sequence[str]) -> str:
    about = " · ".join(filter(None, (source.author, STANCE_WORDS[source.stance], source.published)))
    on = f"<br>{escape(', '.join(labels[:8]))}{'…' if len(labels) > 8 else ''}" if source.bears_on else ""
    return f"<b>{escape(_cut(source.title, 60))}</b><br>{escape(about)}{on}"


def _sections(corpus: Corpus, graph: nx.Graph, places: dict[Node, Point]) -> go.Scatter:
    nodes = [node for node in places if node[1]]
    titles = [corpus.documents[source].section_by_label[label].title for source, label in nodes]
    return go.Scatter(
        x=[places[node][0] for node in nodes],
        y=[places[node][1] for node in nodes],
        mode="markers",
        name="Section",
        marker={"symbol": "diamond", "size": 10, "color": COLORS["primary"]},
        customdata=[list(node) for node in nodes],
        hovertext=[
            f"<b>{escape(node[1])}</b><br>{escape(_cut(title, 70))}<br>{len(graph[node])} sources bear on it"
            for node, title in zip(nodes, titles, strict=True)
        ],
        hoverinfo="text",
    )


def _label(name: str, place: Point, *, outwards: bool) -> dict[str, Any]:
    """A label along the ray of its point, so that a ring of them doesn't overlap; never upside down."""
    text = _cut(name, _LETTERS)
    angle = math.atan2(place[1], place[0])
    half = len(text) * _LETTER_WIDTH / 2
    radius = math.hypot(*place) + (0.08 + half if outwards else -0.06 - half)
    turn = -math.degrees(angle)
    return {
        "x": radius * math.cos(angle),
        "y": radius * math.sin(angle),
        "text": escape(text),
        "textangle": turn + 180 if abs(turn) > 90 else turn,
        "showarrow": False,
    }


def _name(source: Source) -> str:
    """The first of the authors, without what is said of them in brackets; else the title."""
    first = re.split(r",|;| \(| and ", source.author)[0].strip()
    return source.title if first.lower() in ("", "various") else first


def _cut(text: str, letters: int) -> str:
    return text if len(text) <= letters else text[: letters - 1].rstrip() + "…"
