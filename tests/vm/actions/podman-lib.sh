# SPDX-License-Identifier: Apache-2.0
# Podman as the job wants it.
# davit is used by the name that the README's lines give it; the others by theirs.
options=(--runtime "$RT" --cgroup-manager "$CG")
p() { timeout 600 podman "${options[@]}" "$@"; }
terminal() { timeout 600 python3 /share/terminal.py "$@"; }
