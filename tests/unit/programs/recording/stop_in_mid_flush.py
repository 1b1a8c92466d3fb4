# SPDX-License-Identifier: Apache-2.0
import sys

from recordings import snapshot, snapshot_of

from pyusdt.recording import Writer

writer = Writer(sys.argv[1])
writer.write(snapshot())


big = snapshot(scale=9)
big.nodes += snapshot_of(nodes=((0, i, 0, 7, 1, 0, 0, 0, 0) for i in range(6, 200_000))).nodes


class Rows(list):
    def __iter__(self):
        for number, row in enumerate(super().__iter__()):
            yield row
            if number == 199_990 and sys._getframe(1).f_code.co_name == "_node_rows":
                print("half", flush=True)
                sys.stdin.readline()


big.nodes = Rows(big.nodes)
writer.write(big)
