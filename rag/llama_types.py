"""Our side of llama-index: our retriever and engine as its own types.

Takes callables rather than an Engine, so that the engine can offer these types without a circle.
"""

from __future__ import annotations

from collections.abc import Callable

from llama_index.core.base.response.schema import Response
from llama_index.core.callbacks.base import CallbackManager
from llama_index.core.prompts.mixin import PromptMixinType
from llama_index.core.query_engine import BaseQueryEngine
from llama_index.core.retrievers import BaseRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode

from rag.datatypes import Answer, ScoredPassage


class VerseRetriever(BaseRetriever):
    """`Engine.retrieve` as llama-index knows it."""

    def __init__(self, retrieve: Callable[[str], list[ScoredPassage]]) -> None:
        self._passages = retrieve
        super().__init__(callback_manager=CallbackManager([]))

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return [
            NodeWithScore(
                node=TextNode(
                    id_=found.passage.id,
                    text=found.passage.text,
                    metadata={
                        "source_id": found.passage.source_id,
                        "section": found.passage.section,
                        "section_title": found.passage.section_title,
                    },
                    start_char_idx=found.passage.start,
                    end_char_idx=found.passage.end,
                ),
                score=found.score,
            )
            for found in self._passages(query_bundle.query_str)
        ]


class VerseQueryEngine(BaseQueryEngine):
    """`Engine.ask` as llama-index knows it; `response.metadata["answer"]` is the whole Answer as JSON."""

    def __init__(self, ask: Callable[[str], Answer]) -> None:
        self._ask = ask
        super().__init__(callback_manager=CallbackManager([]))

    def _query(self, query_bundle: QueryBundle) -> Response:
        answer = self._ask(query_bundle.query_str)
        nodes = [
            NodeWithScore(
                node=TextNode(
                    text=citation.quote,
                    metadata={
                        "number": citation.number,
                        "source_id": citation.source_id,
                        "section": citation.section,
                        "voice": citation.voice,
                    },
                    start_char_idx=citation.start,
                    end_char_idx=citation.end,
                )
            )
            for citation in answer.citations
        ]
        return Response(response=answer.text, source_nodes=nodes, metadata={"answer": answer.to_dict()})

    async def _aquery(self, query_bundle: QueryBundle) -> Response:
        """Asynchronous only in name: an answer takes some milliseconds and waits for nothing."""
        return self._query(query_bundle)

    def _get_prompt_modules(self) -> PromptMixinType:
        return {}
