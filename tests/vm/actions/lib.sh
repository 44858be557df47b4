# SPDX-License-Identifier: Apache-2.0
# What every job shares. RT: davit, crun or runc; CG: systemd or cgroupfs; ENGINE: the column of the table.
# An action is a function do_NAME: it passes if every command in it succeeds. `is`, `has` and `status_is` compare.
set -u
export LC_ALL=C.UTF-8
image=localhost/busybox
# Without a session a rootless engine takes cgroupfs, whatever it was told, and the job would show something else.
[ -S "/run/user/$(id -u)/bus" ] || { echo "the guest has no session for $(id -un): its snapshot is at fault"; exit 1; }
work=$(mktemp -d)
chmod 755 "$work"
case $RT in crun) runtime=/usr/bin/crun ;; runc) runtime=/usr/sbin/runc ;; *) runtime=/usr/bin/$RT ;; esac

# actions NAME...: performs them in this order, or only those that ACTIONS names; a line for each
actions() {
  local name begin status log=$work/log
  for name in "$@"; do
    [ -z "${ACTIONS:-}" ] || [[ " $ACTIONS " == *" $name "* ]] || continue
    begin=$EPOCHREALTIME
    (
      set -eEo pipefail
      trap 'echo "line $LINENO: $BASH_COMMAND" >&2' ERR
      "do_$name"
    ) >"$log" 2>&1 </dev/null
    status=$?
    local seconds verdict=FAIL
    seconds=$(awk "BEGIN { printf \"%.1f\", $EPOCHREALTIME - $begin }")
    [ $status = 0 ] && verdict=ok
    [ $status = 77 ] && verdict=skip
    printf '@ %s %s %s %s %s %s %s\n' "$ENGINE" "$CG" "$RT" "$name" "$verdict" "$seconds" \
      "$([ $verdict = ok ] || tail -n 12 "$log" | cut -c1-600 | tr '\n\r' '| ')"
  done
}
skip() { echo "$*"; exit 77; }

# is EXPECTED COMMAND...: its output, less the last newline
is() {
  local expected=$1 actual
  shift
  actual=$("$@") || { echo "status $? of: $*; it said: $actual"; return 1; }
  [ "$actual" = "$expected" ] || { echo "expected '$expected', got '$actual' from: $*"; return 1; }
}
# has PATTERN COMMAND...: output and errors contain an extended regular expression
has() {
  local pattern=$1 actual
  shift
  actual=$("$@" 2>&1) || { echo "status $? of: $*; it said: $actual"; return 1; }
  grep -qE -- "$pattern" <<<"$actual" || { echo "no '$pattern' in '$actual' from: $*"; return 1; }
}
# status_is STATUS PATTERN COMMAND...: it ends so, and says so
status_is() {
  local expected=$1 pattern=$2 actual status=0
  shift 2
  actual=$("$@" 2>&1) || status=$?
  [ $status = "$expected" ] || { echo "expected status $expected, got $status from: $*; it said: $actual"; return 1; }
  grep -qE -- "$pattern" <<<"$actual" || { echo "no '$pattern' in '$actual' from: $*"; return 1; }
}
# becomes COMMAND...: it succeeds in the end; an emulator on a busy machine may take its time
becomes() {
  local end=$((SECONDS + 300))
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $end ] || { echo "did not come true: $*"; "$@"; return 1; }
    sleep 0.2
  done
}
holds() { [ "$(cat "$1")" = "$2" ] || { echo "$1 is '$(cat "$1")', not '$2'"; return 1; }; }

unified() { [ -e /sys/fs/cgroup/cgroup.controllers ]; }
# For a shell in a container: its limits of memory, CPU and processes, in the words of cgroup v2.
if unified; then own_limits='cd /sys/fs/cgroup; cat memory.max cpu.max pids.max'
else own_limits='cd /sys/fs/cgroup; cat memory/memory.limit_in_bytes; echo $(cat cpu/cpu.cfs_quota_us cpu/cpu.cfs_period_us); cat pids/pids.max'; fi

# cgroup_of PID: the directory with the limits, which crun and davit may divide further; of the memory controller on v1
cgroup_of() {
  local path
  if unified; then
    path=$(sed -n 's/^0:://p' "/proc/$1/cgroup")
    echo "/sys/fs/cgroup${path%/container}"
  else
    path=$(sed -n 's/^[0-9]*:memory://p' "/proc/$1/cgroup")
    echo "/sys/fs/cgroup/memory${path%/container}"
  fi
}
# limit CGROUP FILE: what it holds, in the words of cgroup v2
limit() {
  local cgroup=$1 file=$2
  [ ! -e "$cgroup/$file" ] || { cat "$cgroup/$file"; return; }
  of() { cat "${cgroup/memory/$1}/$2"; }
  case $file in
    memory.max) of memory memory.limit_in_bytes ;;
    memory.swap.max) echo $(($(of memory memory.memsw.limit_in_bytes) - $(of memory memory.limit_in_bytes))) ;;
    memory.low) of memory memory.soft_limit_in_bytes ;;
    cpu.max) echo "$(of cpu cpu.cfs_quota_us) $(of cpu cpu.cfs_period_us)" ;;
    cpu.weight) of cpu cpu.shares ;;
    cpuset.cpus) of cpuset cpuset.cpus ;;
    pids.max) of pids pids.max ;;
    io.max) of blkio blkio.throttle.write_bps_device | sed 's/ / wbps=/' ;;
    *) cat "$cgroup/$file" ;;
  esac
}
# freezes CGROUP yes|no
freezes() {
  local seen
  if [ -e "$1/cgroup.events" ]; then seen=$(grep -qsx 'frozen 1' "$1/cgroup.events" "$1/container/cgroup.events" && echo yes || echo no)
  else seen=$(grep -q FROZEN "${1/memory/freezer}/freezer.state" && echo yes || echo no); fi
  [ "$seen" = "$2" ] || { echo "frozen: $seen"; return 1; }
}
# The cgroups, units, mounts and state entries of containers, of this runtime or another.
remains() {
  local kinds='libpod|docker|cri-containerd|davit-vm' scope
  find /sys/fs/cgroup -depth -type d -regextype posix-extended -regex ".*/($kinds)-[^/]*" || true
  for scope in --system $([ "$(id -u)" = 0 ] || echo --user); do
    systemctl $scope list-units --all --no-legend --plain '*.scope' | grep -oE "^($kinds)-[^ ]*" || true
  done
  # What begins with a colon is davit's cache.
  find "${XDG_RUNTIME_DIR:-/run}/davit" /run/davit -mindepth 1 -maxdepth 1 ! -name ':*' 2>/dev/null || true
  pgrep -x davit || true
}
nothing_remains() { local left; left=$(remains | sort -u); [ -z "$left" ] || { echo "left behind: $left"; return 1; }; }
