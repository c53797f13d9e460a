"""A load of HTTP requests over kept-alive connections, one process a connection, and what came back."""

from __future__ import annotations

import http.client
import multiprocessing
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: str = ""


@dataclass(frozen=True)
class Measured:
    """What came back; seconds."""

    latencies: tuple[float, ...]
    failed: int
    wall: float

    @property
    def count(self) -> int:
        return len(self.latencies)

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.count / self.wall

    def percentile(self, share: float) -> float:
        """Milliseconds."""
        values = sorted(self.latencies)
        return values[min(len(values) - 1, int(len(values) * share))] * 1000 if values else 0.0


def together(rounds: Sequence[Measured]) -> Measured:
    latencies = tuple(latency for measured in rounds for latency in measured.latencies)
    return Measured(latencies, sum(m.failed for m in rounds), sum(m.wall for m in rounds))


def drive(
    host: str, port: int, batches: Sequence[Sequence[Request]], seconds: float, expect: int
) -> Measured:
    """Sends each batch over its own connection, around and around for so long."""
    context = multiprocessing.get_context("fork")
    ready, answers = context.Barrier(len(batches) + 1), context.Queue()
    senders = [
        context.Process(target=_send, args=(host, port, batch, seconds, expect, ready, answers))
        for batch in batches
    ]
    for sender in senders:
        sender.start()
    ready.wait()
    started = time.perf_counter()
    results = [answers.get() for _ in senders]
    wall = time.perf_counter() - started
    for sender in senders:
        sender.join()
    took = tuple(latency for latencies, _ in results for latency in latencies)
    return Measured(took, sum(bad for _, bad in results), wall)


def _send(
    host: str,
    port: int,
    batch: Sequence[Request],
    seconds: float,
    expect: int,
    ready: Callable[..., object],
    answers: Callable[..., object],
) -> None:
    connection = http.client.HTTPConnection(host, port, timeout=60)
    connection.connect()
    ready.wait()  # type: ignore[attr-defined]  # a Barrier
    latencies, failed, end = [], 0, time.perf_counter() + seconds
    while True:
        for request in batch:
            before = time.perf_counter()
            connection.request(request.method, request.path, request.body or None, request.headers)
            answer = connection.getresponse()
            answer.read()
            latencies.append(time.perf_counter() - before)
            failed += answer.status != expect
            if time.perf_counter() > end:
                connection.close()
                return answers.put((latencies, failed))  # type: ignore[attr-defined]  # a Queue
