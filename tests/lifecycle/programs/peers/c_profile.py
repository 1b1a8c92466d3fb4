# SPDX-License-Identifier: Apache-2.0
import cProfile

profile = cProfile.Profile()


def begin():
    profile.enable()


def end():
    profile.disable()


def answer():
    return {
        entry.code.co_name: [entry.callcount, entry.reccallcount]
        for entry in profile.getstats()
        if getattr(entry.code, "co_name", "") in ("work", "numbers", "run")
    }
