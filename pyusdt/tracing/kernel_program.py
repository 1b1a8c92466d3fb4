# SPDX-License-Identifier: Apache-2.0
"""The bpftrace program behind --kernel: it counts what the kernel does for recorded processes, by
thread and by node of the thread's call tree.

Only numbers of ours are put into its text; the library's path is its parameter. A process is
followed when it is named, by a mark: a system call that the kernel refuses; and what is below it
when that has Python with the library. It is counted from the first mark on, and until that of the
end. What happened is counted a second time by process alone, so that what found no room in a map
can be seen.
"""

import os
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from pyusdt.launch.kernel_account import END_MARK, SELF_MARK
from pyusdt.tracing import system_calls
from pyusdt.tracing.bpftrace import tracefs
from pyusdt.tracing.system_calls import BY_DESCRIPTOR, WAITS

TOTALS = ("SYSCALLS", "OFFCPU", "FAULTS", "BYTES", "MIGRATIONS")
"""What is counted a second time, in @totals."""

_CODES = {wait: i for i, wait in enumerate(WAITS, 1)} | {BY_DESCRIPTOR: 100}
"""Of what is waited for. 0: it is not known."""
RUNNABLE = _CODES["runnable"]

OF_FILE, OF_SOCKET, OF_OTHER = 1, 2, 3
READ, WRITTEN = 0, 4
"""Added to one of the three before."""


class What(NamedTuple):
    """What is to be counted."""

    mark: int
    """The number of the run's marks."""
    pids: tuple[int, ...] = ()
    """Processes that run already."""
    waits: Mapping[int, tuple[int, str]] = {}
    """Their threads that wait, by tid: process and for what."""
    children: bool = True
    gils: Mapping[int, tuple[int, int]] = {}
    """Where the lock of a process's interpreter is: between two addresses."""


_BEGIN = """
BEGIN
{
	@family[(int64)0] = (int64)0;
	@followed[(int64)0] = (int64)0;
	@ready[(int64)0] = (uint64)0;
	@wait[(int64)-1] = (int64)0;
	@direction[(int64)-1] = (int64)0;
	@gil_from[(uint64)0] = (uint64)0;
	@gil_to[(uint64)0] = (uint64)0;
	@on = (uint64)0;
	@end = (uint64)0;
	TABLES
}

usdt:$1:pyusdt:thread__state
/@family[pid]/
{
	@slot[arg0] = arg1;
	@followed[pid] = (int64)1;
	@python[pid] = (int64)1;
	/* It has waited since before we came. */
	if (@off[arg0].0 && @off[arg0].1 == (int64)-1) {
		$off = @off[arg0];
		$node = (int64)-1;
		$at = *(uint64*)uptr(arg1);
		if ($at) {
			$node = (int64)*(uint32*)uptr($at + 36);
		}
		@off[arg0] = ($off.0, $node, $off.2, $off.3);
	}
}
"""

_NODE = """$node = (int64)-1;
	$slot = (uint64)@slot[tid];
	$at = (uint64)0;
	if ($slot) {
		$at = *(uint64*)uptr($slot);
	}
	if ($at) {
		$node = (int64)*(uint32*)uptr($at + 36);
	}"""

_CALLS = """
tracepoint:raw_syscalls:sys_enter
{
	/* Read here: later, the compiler reads them in a way that the kernel refuses. */
	$id = args->id;
	$first = (uint64)args->args[0];
	$second = (uint64)args->args[1];
	if (@followed[pid]) {
		NODE
		$wait = @wait[$id];
		$bytes = @direction[$id];
		MODE
		if ($wait == LOCK && $first >= @gil_from[pid] && $first < @gil_to[pid]) {
			$wait = (int64)GIL;
		}
		@call[tid] = ($id, nsecs, $node, $wait, $bytes);
	}
	if ($id == MARK_CALL && $first == MARK) {
		if ($second == END_MARK) {
			@end = nsecs;
			exit();
		}
		$pid = $second == SELF_MARK ? (uint64)pid : $second;
		@family[$pid] = (int64)1;
		@followed[$pid] = (int64)1;
		if (@on == 0) {
			@on = nsecs;
		}
	}
}

tracepoint:raw_syscalls:sys_exit
/@call[tid].1/
{
	$call = @call[tid];
	$ret = args->ret;
	if (@on && @end == 0) {
		$ns = nsecs - ($call.1 > @on ? $call.1 : @on);
		@syscalls[pid, tid, $call.2, $call.0] = stats($ns);
		@totals[(uint64)pid, (int64)SYSCALLS] = stats($ns);
		if ($ret < 0 && $ret > -4096) {
			@errors[pid, tid, $call.2, $call.0] = count();
		}
		if ($call.4 && $ret > 0) {
			@bytes[pid, tid, $call.2, $call.4] = stats($ret);
			@totals[(uint64)pid, (int64)BYTES] = stats($ret);
		}
	}
	delete(@call[tid]);
}
"""

_MODE = """$mode = (uint64)0;
		if ($wait == DESCRIPTOR || $bytes) {
			$table = curtask->files->fdt;
			if ($first < (uint64)$table->max_fds) {
				$file = (struct file *)0;
				$file = *($table->fd + $first);
				$mode = (uint64)($file->f_inode->i_mode & 0xf000);
			}
		}
		$is_file = $mode == 0x8000 || $mode == 0x6000 || $mode == 0x4000;
		if ($wait == DESCRIPTOR) {
			$wait = (int64)OTHER;
			if ($mode) {
				$wait = $is_file ? (int64)DISK : (int64)NET;
			}
		}
		if ($bytes && $is_file) {
			$bytes = $bytes - OF_OTHER + OF_FILE;
		}
		if ($bytes && $mode == 0xc000) {
			$bytes = $bytes - OF_OTHER + OF_SOCKET;
		}"""

_WITHOUT_MODE = """if ($wait == DESCRIPTOR) {
			$wait = (int64)OTHER;
		}"""

_WAITS = """
tracepoint:sched:sched_switch
{
	if (@followed[pid] && (args->prev_state & 0x30) == 0) {
		NODE
		$call = @call[tid];
		$wait = (int64)0;
		if ($call.1) {
			$node = $call.2;
			$wait = $call.3;
		}
		if ($wait == 0) { /* a page that is read, or a call that is not known to wait */
			$wait = (args->prev_state & 2) ? (int64)DISK : (int64)OTHER;
		}
		if ((args->prev_state & 0xff) == 0) {
			$wait = (int64)RUNNABLE;
		}
		@off[tid] = (nsecs, $node, $wait, (uint64)pid);
	}
	if (@off[args->next_pid].0) {
		$off = @off[args->next_pid];
		$ready = @ready[args->next_pid];
		$next = (uint64)args->next_pid;
		$now = @end ? @end : nsecs;
		$since = $off.0 > @on ? $off.0 : @on;
		if (@on && $since < $now) {
			$woken = $now;
			if ($ready && $ready < $now) {
				$woken = $ready > $since ? $ready : $since;
			}
			@offcpu[$off.3, $next, $off.1, $off.2] = stats($woken - $since);
			@totals[$off.3, (int64)OFFCPU] = stats($woken - $since);
			if ($ready) {
				@offcpu[$off.3, $next, $off.1, (int64)RUNNABLE] = stats($now - $woken);
				@totals[$off.3, (int64)OFFCPU] = stats($now - $woken);
			}
		}
		delete(@off[args->next_pid]);
		delete(@ready[args->next_pid]);
	}
}

tracepoint:sched:sched_waking
/@off[args->pid].0/
{
	if (@ready[args->pid] == 0) {
		@ready[args->pid] = nsecs;
	}
}

tracepoint:sched:sched_migrate_task
/@off[args->pid].0 && @on && @end == 0/
{
	$off = @off[args->pid];
	@migrations[$off.3, (uint64)args->pid, $off.1] = count();
	@totals[$off.3, (int64)MIGRATIONS] = stats(1);
}
"""

_FAULTS = """
software:minor-faults:1
/@followed[pid] && @on && @end == 0/
{
	NODE
	@faults[pid, tid, $node, 0] = count();
	@totals[(uint64)pid, (int64)FAULTS] = stats(1);
}

software:major-faults:1
/@followed[pid] && @on && @end == 0/
{
	NODE
	@faults[pid, tid, $node, 1] = count();
	@totals[(uint64)pid, (int64)FAULTS] = stats(1);
}
"""

_BLOCK = """
tracepoint:block:BLOCK_START
/@followed[pid] && args->bytes && @on && @end == 0/
{
	NODE
	$bytes = (uint64)args->bytes;
	@block[args->dev, args->sector] = (nsecs, (uint64)pid, (uint64)tid, $node, $bytes);
}

tracepoint:block:BLOCK_DONE
/@block[args->dev, args->sector].0/
{
	$block = @block[args->dev, args->sector];
	@block_ns[$block.1, $block.2, $block.3] = stats(nsecs - $block.0);
	@block_bytes[$block.1, $block.2, $block.3] = sum($block.4);
	delete(@block[args->dev, args->sector]);
}
"""

_FORK = """
tracepoint:sched:sched_process_fork
/@family[pid]/
{
	@family[args->child_pid] = (int64)1;
	if (@gil_to[pid]) { /* a fork has its parent's memory */
		@gil_from[args->child_pid] = @gil_from[pid];
		@gil_to[args->child_pid] = @gil_to[pid];
	}
}
"""

_END = """
tracepoint:sched:sched_process_exec
/@family[pid]/
{
	delete(@slot[tid]);
	delete(@followed[pid]);
	delete(@gil_from[pid]);
	delete(@gil_to[pid]);
}

tracepoint:sched:sched_process_exit
/@family[pid]/
{
	delete(@slot[tid]);
	delete(@call[tid]);
	delete(@family[tid]);
	delete(@followed[tid]);
	delete(@gil_from[tid]);
	delete(@gil_to[tid]);
}

END
{
	printf("%llu %llu\\n", @on, @end ? @end : nsecs);
	clear(@family);
	clear(@followed);
	clear(@slot);
	clear(@gil_from);
	clear(@gil_to);
	clear(@wait);
	clear(@direction);
	clear(@call);
	clear(@block);
	clear(@on);
	clear(@end);
}
"""


def source(what: What) -> str:
    """Its text."""
    call = system_calls.number_of("getpriority")
    numbers: dict[str, int] = {
        "MARK_CALL": -1 if call is None else call,
        "MARK": what.mark,
        "SELF_MARK": SELF_MARK,
        "END_MARK": END_MARK,
        "OF_FILE": OF_FILE,
        "OF_SOCKET": OF_SOCKET,
        "OF_OTHER": OF_OTHER,
        **{name.upper(): code for name, code in _CODES.items()},
        **{name: code for code, name in enumerate(TOTALS)},
    }
    texts = {
        "NODE": _NODE,
        "MODE": _MODE if os.path.exists("/sys/kernel/btf/vmlinux") else _WITHOUT_MODE,
        "TABLES": "\n\t".join(_tables(what)),
    }
    text = _BEGIN + _CALLS + _WAITS + _FAULTS + _block() + (_FORK if what.children else "") + _END
    return _filled(_filled(text, texts), numbers)


def _filled(text: str, words: Mapping[str, str | int]) -> str:
    """`text` with other words in the place of these."""
    return re.sub(rf"\b({'|'.join(words)})\b", lambda found: str(words[found[0]]), text)


def _tables(what: What) -> Iterator[str]:
    for pid in what.pids:
        yield f"@family[(int64){pid}] = (int64)1;"
        yield f"@followed[(int64){pid}] = (int64)1;"
    for pid, (first, last) in what.gils.items():
        yield f"@gil_from[(uint64){pid}] = (uint64){first};"
        yield f"@gil_to[(uint64){pid}] = (uint64){last};"
    for tid, (pid, wait) in what.waits.items():
        code = _CODES[wait]
        yield f"@off[(uint64){tid}] = (nsecs, (int64)-1, (int64){code}, (uint64){pid});"
    for number, wait in system_calls.waits().items():
        yield f"@wait[(int64){number}] = (int64){_CODES[wait]};"
    for number, direction in system_calls.directions().items():
        code = OF_OTHER + (READ if direction == "read" else WRITTEN)
        yield f"@direction[(int64){number}] = (int64){code};"


def _block() -> str:
    """What counts input and output of blocks, by what this kernel has for it: newer ones say whose
    it is, older ones who has set it going."""
    for start, done in (
        ("block_io_start", "block_io_done"),
        ("block_rq_issue", "block_rq_complete"),
    ):
        if os.path.exists(f"{tracefs()}/events/block/{start}"):
            return _filled(_BLOCK, {"BLOCK_START": start, "BLOCK_DONE": done})
    return ""
