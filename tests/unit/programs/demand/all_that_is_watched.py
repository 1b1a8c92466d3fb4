# SPDX-License-Identifier: Apache-2.0
from semaphores import down, up, wait_for

import pyusdt

up("LINE", "PY_START")
wait_for("LINE", "PY_START")
up("code__new", "C_RAISE")
wait_for("LINE", "PY_START", "CALL")
down("PY_START", "LINE")
wait_for("PY_START", "CALL")  # code__new needs the first
down("code__new", "C_RAISE")
wait_for()
print("null")
