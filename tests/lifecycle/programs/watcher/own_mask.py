# SPDX-License-Identifier: Apache-2.0
import signal

from pyusdt.libpyusdt import start, stop

stop()
mine = {signal.SIGUSR1, signal.SIGINT}
signal.pthread_sigmask(signal.SIG_BLOCK, mine)
start()
assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == mine
print("ok")
