# SPDX-License-Identifier: Apache-2.0
import os

import pyusdt

pyusdt.configure(only="inherited")
child = os.fork()
if child:
    print("child", child, flush=True)
    os.wait()
else:
    input()
