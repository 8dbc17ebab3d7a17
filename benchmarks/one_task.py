"""The baseline: one Celery task for each share, which only does one POST."""

from __future__ import annotations

import os
import threading

import requests
from celery import Celery

app = Celery("one", broker=os.environ["BENCH_BROKER"])
app.conf.update(task_ignore_result=True, worker_prefetch_multiplier=4)
own = threading.local()


@app.task(name="one.post")
def post() -> None:
    """One POST on the thread's own session."""
    if not hasattr(own, "session"):
        own.session = requests.Session()
    own.session.post(os.environ["BENCH_URL"], json={"status": "hello"}, timeout=10)
