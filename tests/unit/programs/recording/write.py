# SPDX-License-Identifier: Apache-2.0
"""Write a recording: write.py PATH [unprivileged|limited]; print why it cannot be written."""

import os
import resource
import signal
import sys

from recordings import snapshot, snapshot_of

from pyusdt.errors import UserError
from pyusdt.recording import write

path, *how = sys.argv[1:]
data = snapshot()
if how == ["limited"]:  # as on a full disk
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (80_000, 80_000))
    data.nodes += snapshot_of(nodes=((0, i, 0, 7, 1, 0, 0, 0, 0) for i in range(6, 20_000))).nodes
elif how == ["unprivileged"] and os.geteuid() == 0:  # without the right to write everywhere
    os.setgid(65534)
    os.setuid(65534)
try:
    write(path, data, reason=None)
except UserError as e:
    print(e)
