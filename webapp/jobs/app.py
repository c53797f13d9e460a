"""The job engine. The web process only defers on its own connection; the worker alone opens the pool."""

from __future__ import annotations

from typing import Any

from procrastinate import App, PsycopgConnector, RetryStrategy

#: a worker is heard of this often, and one that was silent for so long is dead: its jobs start again
HEARTBEAT_SECONDS = 5
STALLED_SECONDS = 15

app = App(connector=PsycopgConnector(), import_paths=["webapp.jobs.sweeps"])


@app.task(name="perform", queue="effects", retry=RetryStrategy(max_attempts=8, exponential_wait=3))
def perform(effect_id: int) -> Any:
    from webapp.jobs.effects import perform_effect  # the web process must not load the PDF engine

    return perform_effect(effect_id)
