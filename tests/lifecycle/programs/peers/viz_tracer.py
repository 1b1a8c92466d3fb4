# SPDX-License-Identifier: Apache-2.0
import viztracer

tracer = viztracer.VizTracer(verbose=0)


def begin():
    tracer.start()


def end():
    tracer.stop()
    tracer.parse()


def answer():
    names = [event["name"] for event in tracer.data["traceEvents"]]
    ours = [name for name in names if name.startswith(("work", "numbers", "run"))]
    return sorted(name.split(" ")[0] for name in ours)
