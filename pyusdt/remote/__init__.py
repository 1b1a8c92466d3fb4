# SPDX-License-Identifier: Apache-2.0
"""Running processes from outside: their status, their settings, recordings of them."""
