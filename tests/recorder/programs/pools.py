# SPDX-License-Identifier: Apache-2.0
import sys

import endings

if __name__ == "__main__":
    endings.work(1000)
    endings.children(sys.argv[1])
