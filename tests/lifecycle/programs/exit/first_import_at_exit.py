# SPDX-License-Identifier: Apache-2.0
import atexit


def late():
    import semaphores

    semaphores.up("PY_START", "LINE")
    import pyusdt

    semaphores.wait_for("PY_START", "LINE")
    print("imported")


atexit.register(late)
