# SPDX-License-Identifier: Apache-2.0
import os
import signal
import sys

print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)
print([s.name for s in signal.Signals if signal.getsignal(s) is signal.SIG_IGN])
signal.signal(signal.SIGTERM, lambda *args: sys.exit(5))
os.kill(os.getpid(), signal.SIGTERM)
