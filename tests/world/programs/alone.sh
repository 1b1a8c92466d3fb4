#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A world in which /proc shows no other process, and a program in it: alone.sh PROGRAM...
set -e
real=$(mktemp -d)
mount --rbind /proc "$real"
mount -t tmpfs none /proc
for entry in "$real"/*; do
    name=${entry##*/}
    [[ $name == [0-9]* && $name != "$$" ]] || ln -s "$entry" "/proc/$name"
done
exec "$@"
