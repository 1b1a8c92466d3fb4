# SPDX-License-Identifier: Apache-2.0
from semaphores import down, up, wait_for

up("PY_START", "LINE")
import pyusdt

down("LINE")
wait_for("PY_START")
down("PY_START")
wait_for()
pyusdt.libpyusdt.stop()
