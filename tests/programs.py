"""The real web server and the real worker, for tests that must not be kind to them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from webapp import supervisor


@dataclass(frozen=True)
class Counter:
    """An open counter. `web` and `worker` may be killed and revived."""

    address: str
    database_url: str
    web: supervisor.Child
    worker: supervisor.Child


@contextmanager
def open_counter(database_url: str, settings: Mapping[str, str] | None = None) -> Iterator[Counter]:
    """Secrets come from the environment, where the fixture `databases` has put them."""
    with supervisor.listen("127.0.0.1", 0) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        environment = {**os.environ, "DATABASE_URL": database_url, "BASE_URL": address, **(settings or {})}
        handle = listener.fileno()
        command = supervisor.web_command(f"fd://{handle}")
        web = supervisor.Child("網站", "web", command, keep=[handle], environment=environment)
        worker = supervisor.Child("背景工作", "worker", supervisor.worker_command(), environment=environment)
        try:
            web.start()
            worker.start()
            supervisor.wait_for_an_answer(web, listener)
            yield Counter(address, database_url, web, worker)
        finally:
            web.stop()
            worker.stop()
