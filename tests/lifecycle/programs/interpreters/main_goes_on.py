# SPDX-License-Identifier: Apache-2.0
import os

import semaphores
from interpreters import run

run("def work(): pass\nfor i in range(100): work()", os.environ["LEGACY"] == "legacy")
assert semaphores.events()
semaphores.down(*semaphores.ALL)
semaphores.wait_for()
semaphores.up("LINE")
semaphores.wait_for("LINE")
print("ok")
