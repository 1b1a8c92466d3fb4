# SPDX-License-Identifier: Apache-2.0
import os
import subprocess
import sys

for i in range(10):
    done = subprocess.run(
        [sys.executable, "-c", "import os; print(os.environ['N'])"],
        preexec_fn=lambda: os.environ.update(N=str(i)) or os.setsid(),
        env=None,
        stdout=subprocess.PIPE,
    )
    print(done.returncode, done.stdout)
print(subprocess.run(["true"]).returncode)
print(os.spawnv(os.P_WAIT, sys.executable, ["python", "-c", "exit(5)"]))
