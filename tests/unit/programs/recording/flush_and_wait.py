# SPDX-License-Identifier: Apache-2.0
import sys

from recordings import snapshot

from pyusdt.recording import Writer

writer = Writer(sys.argv[1])
writer.write(snapshot())
print("flushed", flush=True)
if sys.stdin.readline() == "hang\n":
    while True:
        writer.write(snapshot())
for _ in range(5):
    writer.write(snapshot())
writer.close()
