# SPDX-License-Identifier: Apache-2.0
"""Functions that each do one thing for a while, and say how long they really did it.

Prints JSON: for each function its CPU time, its time without a CPU, and what is left: waiting; for
each thread its CPU time; the user and system time of the main thread.
"""

import json
import os
import resource
import select
import socket
import subprocess
import sys
import threading
import time

SECONDS = float(sys.argv[1])
truth = {}
threads = {}
lock = threading.Lock()


def ready() -> float:
    with open("/proc/thread-self/schedstat") as file:
        return int(file.read().split()[1]) / 1e9


def measured(function) -> None:
    wall, cpu, runnable = time.monotonic(), time.thread_time(), ready()
    function()
    cpu, runnable = time.thread_time() - cpu, ready() - runnable
    waited = time.monotonic() - wall - cpu - runnable
    truth[function.__name__] = {"cpu": cpu, "runnable": runnable, "waited": waited}


def spin() -> None:
    end = time.thread_time() + SECONDS
    while time.thread_time() < end:
        pass


def in_kernel() -> None:
    end = time.thread_time() + SECONDS
    with open("/dev/zero", "rb", 0) as file:
        buffer = bytearray(1 << 20)
        while time.thread_time() < end:
            file.readinto(buffer)


def nap() -> None:
    time.sleep(SECONDS)


def hold(held) -> None:
    with lock:
        held.set()
        time.sleep(SECONDS)


def want() -> None:
    lock.acquire()
    lock.release()


def read_pipe() -> None:
    os.read(child.stdout.fileno(), 1)


def await_child() -> None:
    os.waitpid(child.pid, 0)


def receive() -> None:
    here.recv(1)


def poll() -> None:
    select.select([here], [], [], SECONDS)


def sync() -> None:
    end = time.monotonic() + SECONDS
    with open("synced", "wb", 0) as file:
        while time.monotonic() < end:
            file.write(b"x" * 4096)
            os.fsync(file.fileno())


def fight(number: int) -> None:
    measured([fight_0, fight_1][number])
    threads[threading.current_thread().name] = time.thread_time()


def fight_0() -> None:
    spin()


def fight_1() -> None:
    spin()


def sleeper(seconds: float = SECONDS):
    return subprocess.Popen(["sleep", str(seconds)], stdout=subprocess.PIPE)


before = resource.getrusage(resource.RUSAGE_THREAD)
for function in (spin, in_kernel, nap):
    measured(function)
held = threading.Event()
holder = threading.Thread(target=hold, args=(held,))
holder.start()
held.wait()
measured(want)
holder.join()
here, there = socket.socketpair()
measured(poll)
threading.Timer(SECONDS, there.send, (b"x",)).start()
measured(receive)
with sleeper() as child:
    measured(read_pipe)
with sleeper() as child:
    measured(await_child)
measured(sync)
fighters = [threading.Thread(target=fight, args=(i,), name=f"fighter {i}") for i in range(2)]
for thread in fighters:
    thread.start()
for thread in fighters:
    thread.join()
after = resource.getrusage(resource.RUSAGE_THREAD)
print(json.dumps({
    "functions": truth,
    "threads": threads,
    "user": after.ru_utime - before.ru_utime,
    "system": after.ru_stime - before.ru_stime,
}))  # fmt: skip
