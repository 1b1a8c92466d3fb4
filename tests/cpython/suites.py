# SPDX-License-Identifier: Apache-2.0
"""Which of CPython's own suites are run, and which of their tests may not end as without pyusdt."""

from __future__ import annotations

import sys
from fnmatch import fnmatchcase


def _names(text: str) -> list[str]:
    return text.split()


# In every `make test`; all but the long ones in `make test-cpython`.
SHORT = _names("""
test_generators test_coroutines test_asyncgen test_exceptions test_gc test_sys_settrace
test_monitoring_beside
""")

# Under a real tracer: what the events are about. A trap an event makes them several times slower.
TRACED = _names("""
test_generators test_coroutines test_asyncgen test_exceptions test_except_star test_raise
test_yield_from test_gc test_code test_frame test_contextlib test_with test_monitoring_beside
""")

# With all probes watched from inside, and so without a trap: the same, and much more.
WATCHED = [
    *TRACED,
    *_names("""
    test_sys_settrace test_sys_setprofile test_bdb test_profile test_cprofile test_traceback
    test_weakref test_descr test_class test_dict test_functools test_sys test_atexit
    test_finalization test_threading_local test_thread test_tracemalloc test_opcache
    test_type_cache test_listcomps test_patma test_super test_extcall test_genericalias
    test_capi.test_watchers test_generator_stop test_compile test_fork1
    test_concurrent_futures.test_thread_pool test_threading test_multiprocessing_fork.test_threads
    """),
]

# While memory is recorded, Python's and native: what allocates, frees, maps, forks and ends.
MEMORY = _names("test_mmap test_gc test_ctypes test_threading test_tracemalloc")

# Minutes more, most of which is sleep.
LONG = _names("""
test_signal test_subprocess test_queue test_set test_unittest test_doctest test_pdb
test_asyncio.test_tasks test_asyncio.test_taskgroups test_asyncio.test_futures
test_asyncio.test_timeouts test_asyncio.test_subprocess test_concurrent_futures.test_process_pool
test_multiprocessing_fork.test_processes test_multiprocessing_fork.test_manager
test_multiprocessing_forkserver.test_processes test_multiprocessing_spawn.test_processes
test_logging test_io test_pickle test_copy test_enum test_dataclasses
test_typing test_inspect test_ast test_importlib test_runpy test_site test_zipimport
test_capi.test_misc test_memoryview test_collections test_itertools test_builtin test_types
test_decimal test_json test_re test_sort test_statistics test_string test_unicode test_xml_etree
""")

_CALL = (
    "CPython itself: while any tool has CALL on, the function that sys.setprofile() sets hears of "
    "the return of setprofile(), and of calls it does not hear of otherwise"
)
_SPECIALISED = "looks for specialised instructions; those with events on are not specialised"
_SWITCHED_ON = (
    "CPython itself: while any tool has CALL on, the tool whose set_events() asks for CALL hears "
    "of the return of that very call"
)
_GENERATOR_ENDS = (
    "CPython itself: while any tool has LINE on, the end of a generator that returns a value is a "
    "RAISE to the loop over it, and no STOP_ITERATION"
)
_BESIDE_LINE = (
    "CPython 3.14 itself: while another tool has LINE on, a jump tells of another offset, and an "
    "instruction that was switched off speaks more often"
)
_BREAKPOINT = (
    "CPython 3.13 itself: while any tool has LINE or such on, breakpoint() stops behind the line "
    "that has it, as in 3.12"
)
_COLLECTOR = (
    "counts what the collector knows of: of each code object that is seen first meanwhile, "
    "pyusdt has one weak reference"
)
_SNEAKY = (
    "asks for a collection at the very next allocation: while function__latency is watched, that "
    "of the frame object by which pyusdt knows a suspended generator comes first"
)
_MEMORY = "counts every byte that is allocated; making values into text allocates some for a moment"

_NOT_COMPILED = (
    "CPython 3.15 itself: what has events on is not compiled by the JIT (that of 3.14 is refused)"
)

# Patterns of tests that may end in another way while all is watched, and why.
DIFFERENT = {
    "test.test_profile.ProfileTest.*": _CALL,
    "test.test_pdb.test_*": _BREAKPOINT,
    "test.test_doctest.test_doctest.test_pdb_set_trace*": _BREAKPOINT,
    "test.test_sys_setprofile.TestEdgeCases.test_method_with_c_function": _CALL,
    "test.test_monitoring.MonitoringCountTest.test_c_return_count": _SWITCHED_ON,
    "test.test_monitoring.SimulateProfileTest.test_frame_stack": _SWITCHED_ON,
    "test.test_monitoring.TestManyEvents.*": _SWITCHED_ON,
    "test.test_monitoring.TestLoadSuperAttr.*": _SWITCHED_ON,
    "test.test_monitoring.TestBranchConsistency.test_async_for": _BESIDE_LINE,
    "test.test_monitoring.TestDisable.test_disable_legal_events": _BESIDE_LINE,
    "test.test_monitoring.ExceptionMonitoringTest.test_implicit_stop_iteration": _GENERATOR_ENDS,
    "test.test_monitoring.ExceptionMonitoringTest.test_no_unwind_for_shim_frame": _SPECIALISED,
    "test.test_sys.TestSysJIT.test_jit_is_active": _NOT_COMPILED,
    "test.test_opcache.*": _SPECIALISED,
    "test.test_type_cache.TypeCacheWithSpecializationTests.*": _SPECIALISED,
    "test.test_descr.ClassPropertiesAndMethods.test_slots": _COLLECTOR,
    "test.test_frame.TestIncompleteFrameAreInvisible.test_sneaky_frame_object": _SNEAKY,
    "test.test_tracemalloc.TestTracemallocEnabled.test_get_traced_memory": _MEMORY,
}


# What Python itself does now and then to a program that has any other C thread, and until when.
# cpython gh-128679: tracemalloc.stop() while a thread takes the GIL. Fixed in 3.12.9 and 3.13.2.
MAY_CRASH = {
    "test_tracemalloc": sys.version_info < (3, 12, 9)
    or (sys.version_info[:2] == (3, 13) and sys.version_info < (3, 13, 2))
}


def may_crash(suite: str) -> bool:
    return MAY_CRASH.get(suite, False)


def may_differ(test: str) -> bool:
    return any(fnmatchcase(test, pattern) for pattern in DIFFERENT)
