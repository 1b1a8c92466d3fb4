# SPDX-License-Identifier: Apache-2.0
import threading

go = threading.Event()


def work():
    go.wait()
    print(sum(i for i in range(1000)))


threading.Thread(target=work).start()
go.set()
