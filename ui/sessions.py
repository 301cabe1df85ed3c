"""What Gradio keeps of each page that was opened, and of each question: less of it, and not for ever.

A page costs some 200 kB here, most of it a copy of every component for deep links, which this page doesn't have; and
what a closed one or a program leaves is never let go. Under many reloads and questions that is a leak.
"""

from __future__ import annotations

import asyncio
import datetime
import sys

from gradio.queueing import Queue
from gradio.routes import App

EVERY = 5.0  # seconds between two looks
KEPT = datetime.timedelta(minutes=1)  # for a page whose connection was lost and comes back


async def tidy(app: App) -> None:
    """Look after the sessions for as long as the server runs."""
    while True:
        await asyncio.sleep(EVERY)
        forget_closed(app, datetime.datetime.now() - KEPT)


def count_no_events(queue: Queue) -> None:
    """Leave out the queue's own statistics, which no page of ours shows: after each question it would make a data frame
    of the last 10,000."""
    queue.ANALYTICS_MAX_EVENTS = 1
    queue.ANAYLTICS_CACHE_FREQUENCY = sys.maxsize  # spelt so


def forget_closed(app: App, before: datetime.datetime) -> None:
    """Forget the pages that closed and the programs that have read their answers, where neither was used since, and of
    the others what nothing here reads."""
    held, queue = app.state_holder, app.get_blocks()._queue
    for name, session in list(held.session_data.items()):
        session.config_values.clear()
        # A program has no chat here, and mostly no connection that it could close.
        served = not session.state_data and not queue.pending_event_ids_session.get(name)
        if (session.is_closed or served) and held.time_last_used[name] < before:
            with held.lock:
                held.session_data.pop(name, None)
                held.time_last_used.pop(name, None)
            queue.pending_messages_per_session.pop(name, None)
            queue.pending_event_ids_session.pop(name, None)
