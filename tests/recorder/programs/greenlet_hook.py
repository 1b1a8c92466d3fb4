# SPDX-License-Identifier: Apache-2.0
"""A program with a greenlet.settrace() of its own."""

import json

import greenlet

import pyusdt

events = []
raised = None


def note(event, arguments):
    events.append(event)


def refuse(event, arguments):
    raise LookupError


def wait():
    try:
        greenlet.getcurrent().parent.switch()
    except ValueError:
        pass


def turns():
    one = greenlet.greenlet(wait)
    one.switch()
    one.throw(ValueError)


greenlet.settrace(note)
with pyusdt.record():
    turns()
    expected = list(events)
greenlet.greenlet(lambda: None).switch()
back = greenlet.gettrace() is note
greenlet.settrace(refuse)
with pyusdt.record():
    try:
        turns()
    except LookupError as error:
        raised = type(error).__name__
greenlet.settrace(None)
after = [back, greenlet.gettrace() is None]
print(json.dumps({"events": expected, "raised": raised, "after": after}))
