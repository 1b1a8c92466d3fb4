# SPDX-License-Identifier: Apache-2.0
"""A Celery application. Run as a program it sends a task for each line of standard input."""

from __future__ import annotations

import os
import sys

import celery
import meeting

_directory = os.environ["BROKER"]
app = celery.Celery("tasks", broker="filesystem://")
app.conf.update(
    broker_transport_options={
        "data_folder_in": _directory,
        "data_folder_out": _directory,
        "control_folder": _directory,
        "polling_interval": 0.02,
    },
    broker_connection_retry_on_startup=True,
    task_ignore_result=True,
    worker_prefetch_multiplier=1,
)


@app.task(name="attend")
def attend(traced: bool) -> None:
    meeting.attend(traced)


if __name__ == "__main__":
    # kombu makes a message's file first and writes it then: the worker may not find it in between.
    outbox = f"{_directory}.out"
    os.mkdir(outbox)
    app.conf.broker_transport_options["data_folder_out"] = outbox
    print("ready", flush=True)
    for line in sys.stdin:
        attend.delay(line.strip() == "traced")
        for name in os.listdir(outbox):
            os.rename(f"{outbox}/{name}", f"{_directory}/{name}")
