# SPDX-License-Identifier: Apache-2.0
import sys

from recordings import snapshot

from pyusdt.recording import Writer

sys.stdin.readline()
Writer(sys.argv[1]).close("exit", snapshot())
