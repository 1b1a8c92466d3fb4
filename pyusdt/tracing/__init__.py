# SPDX-License-Identifier: Apache-2.0
"""Running bpftrace over programs that have pyusdt: the scripts, the tracer, and what it traces."""
