# SPDX-License-Identifier: Apache-2.0
import os
import threading

go = threading.Event()
threading.Thread(target=go.wait).start()
child = os.fork()
if not child:
    os._exit(0)
os.waitpid(child, 0)
go.set()
