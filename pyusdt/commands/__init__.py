# SPDX-License-Identifier: Apache-2.0
"""The verbs: one module each, loaded when its verb runs.

A verb's module has two functions: `declare(parser)` adds its description and its arguments to an
argparse parser; `run(arguments)` does the work and returns an exit code. Where the parser has a
default for `program`, the words after `--` come as `arguments.program`.
"""

VERBS = {
    # verb: (its module in this package, what --help says of it)
    "compare": ("compare", "compare recordings: what became slower or faster"),
    "lib": ("lib", "print the path of the library that has the probes"),
    "probes": ("probes", "print the probes: arguments, when they fire, what they need"),
    "record": ("record", "record a running process for a while"),
    "report": ("report", "show a recording, or turn it into HTML, speedscope, pstats, pprof ..."),
    "set": ("set", "change filters and other settings of a running process"),
    "status": ("status", "show the processes that have pyusdt loaded, and what it does there"),
    "trace": ("trace", "answer a question about running programs, with bpftrace (root)"),
}
