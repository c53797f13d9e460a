"""The worker process: the only one that opens the job engine's own connections."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from flask import Flask
from procrastinate import App, PsycopgConnector
from sqlalchemy import make_url

from webapp import create_app
from webapp.jobs.app import HEARTBEAT_SECONDS, STALLED_SECONDS
from webapp.jobs.app import app as jobs

CONCURRENCY = 2


def run_worker() -> None:
    """Until SIGINT or SIGTERM. Each job runs in a thread with an application context, and so a session, of its own."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    web = create_app()
    address = make_url(web.config["SQLALCHEMY_DATABASE_URI"]).set(drivername="postgresql")
    connector = PsycopgConnector(conninfo=address.render_as_string(hide_password=False))
    with jobs.replace_connector(connector) as opened:
        asyncio.run(_work(opened, web))


async def _work(opened: App, web: Flask) -> None:
    def inside_the_application(call_next: Callable[[], Any], context: Any, worker: Any) -> Any:
        with web.app_context():
            return call_next()

    async with opened.open_async():
        await opened.run_worker_async(
            concurrency=CONCURRENCY,
            delete_jobs="successful",
            shutdown_graceful_timeout=20,
            update_heartbeat_interval=HEARTBEAT_SECONDS,
            stalled_worker_timeout=STALLED_SECONDS,
            task_middleware=[inside_the_application],
        )
