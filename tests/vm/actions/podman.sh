# SPDX-License-Identifier: Apache-2.0
# Podman, root or rootless: the life of a container, its limits, terminals and errors.
. /share/lib.sh
[ "$(id -u)" = 0 ] && ENGINE=podman || ENGINE=rootless
. /share/podman-lib.sh

do_run() {
  is hello p run --rm --network none $image echo hello
  is "$(printf 'one\ntwo')" pipe p run -i --rm --network none $image cat
}
pipe() { printf 'one\ntwo\n' | "$@"; }
do_exit_status() { status_is 42 '^$' p run --rm --network none $image sh -c 'exit 42'; }
do_errors() {
  status_is 127 'not found|no such file' p run --rm --network none $image /nonexistent
  status_is 126 'ermission denied' p run --rm --network none $image /etc/passwd
  status_is 125 . p run --rm --network none --no-such-option $image true
  nothing_remains
}
do_network() { has 'inet (10|169|192)\.' p run --rm $image ip -4 addr show; }
do_terminal() {
  terminal --size 33x77 -- podman "${options[@]}" run -it --rm --name tty --network none --detach-keys ctrl-p,ctrl-q $image sh <<'END'
expect # 
send stty size\n
expect 33 77
resize 44x99
send while [ "$(stty size)" = '33 77' ]; do sleep 0.2; done; stty size\n
expect 44 99
send printf 'a\\nb'; exit 5\n
expect a\r\nb
end 5
END
}
do_detach_keys() {
  terminal -- podman "${options[@]}" run -it --name detached --network none --detach-keys ctrl-p,ctrl-q $image sh <<'END'
expect # 
detach
end 0
END
  is true p inspect -f '{{.State.Running}}' detached
  p rm -f -t 0 detached
}

start_limited() {
  local more=()
  unified && more+=(--cgroup-conf memory.high=62914560)
  [ "$(id -u)" = 0 ] && more+=(--memory-reservation 32m --cpu-shares 512 --cpuset-cpus 0 --blkio-weight 200 --device-write-bps /dev/vda:1mb)
  p run -d --name limited --pidfile "$work/pid" --network none --memory 64m --memory-swap 96m --cpus 0.5 --pids-limit 50 \
    --ulimit nofile=100:200 --shm-size 4m --oom-score-adj 300 --cap-drop all --cap-add net_bind_service \
    --sysctl net.ipv4.ip_forward=1 --read-only --tmpfs /scratch:size=1m "${more[@]}" $image sleep 1000
}
limited() { cgroup_of "$(cat "$work/pid")"; }
do_limits() {
  start_limited
  local c
  c=$(limited)
  case $CG in systemd) [[ $c == */libpod-*.scope ]] ;; *) [[ $c != *.scope ]] ;; esac
  is 67108864 limit "$c" memory.max
  ! unified || is 62914560 limit "$c" memory.high
  is 33554432 limit "$c" memory.swap.max
  is '50000 100000' limit "$c" cpu.max
  is 50 limit "$c" pids.max
  [ "$(id -u)" = 0 ] || return 0
  is 33554432 limit "$c" memory.low
  has '^(20|59|512)$' limit "$c" cpu.weight
  is 0 limit "$c" cpuset.cpus
  has '^254:0 .*wbps=1048576' limit "$c" io.max
}
do_limits_inside() {
  is "$(printf '67108864\n50000 100000\n50\n100\n200\n300')" p exec limited sh -c \
    "$own_limits; ulimit -n; ulimit -Hn; cat /proc/1/oom_score_adj"
  is "$(printf '0000000000000400\n1\n1\nro')" p exec limited sh -c \
    'sed -n "s/^CapEff:\t//p" /proc/1/status; cat /proc/sys/net/ipv4/ip_forward; touch /scratch/x && echo 1; touch /x 2>/dev/null || echo ro'
}
do_exec() {
  # Engines differ in whether the group of the user is among those beside it, and in their order.
  has '^uid=1000\(user\) gid=1000\(user\) groups=.*10\(wheel\)' p exec -u user limited id
  is '/tmp b' p exec -w /tmp -e A=b limited sh -c 'echo $(pwd) $A'
  status_is 3 '^$' p exec limited sh -c 'exit 3'
  is in pipe_in p exec -i limited cat
  status_is 127 'not found|no such file' p exec limited /nonexistent
}
pipe_in() { echo in | "$@"; }
do_exec_terminal() {
  terminal --size 20x60 -- podman "${options[@]}" exec -it limited sh <<'END'
expect # 
send stty size; tty\n
expect 20 60
expect /dev/pts/
send exit 4\n
end 4
END
}
do_exec_detached() {
  p exec -d limited touch /scratch/detached
  becomes p exec limited test -e /scratch/detached
}
do_exec_parallel() {
  local n pids=()
  for n in 1 2 3 4 5; do p exec limited sh -c "sleep 1; echo $n" >"$work/exec-$n" & pids+=($!); done
  for n in "${pids[@]}"; do wait "$n"; done
  is "$(seq 5)" cat "$work"/exec-[1-5]
}
do_top_stats() {
  has 'sleep 1000' p top limited pid user args
  has '^[0-9.]+[kM]?B / [0-9.]+MB [1-9]$' p stats --no-stream --format '{{.MemUsage}} {{.PIDs}}' limited
}
do_update() {
  local c pids=()
  # Podman 4.3 does not have it.
  ! podman update --help | grep -q -e --pids-limit || pids=(--pids-limit 60)
  p update --memory 80m --memory-swap 120m --cpus 0.25 "${pids[@]}" limited
  c=$(limited)
  is 83886080 limit "$c" memory.max
  is '25000 100000' limit "$c" cpu.max
  [ ${#pids[@]} = 0 ] || is 60 limit "$c" pids.max
}
do_pause() {
  local c
  c=$(limited)
  p pause limited
  freezes "$c" yes
  is paused p inspect -f '{{.State.Status}}' limited
  p unpause limited
  freezes "$c" no
}
do_stop_slow() {
  p stop -t 1 limited
  is 137 p inspect -f '{{.State.ExitCode}}' limited
  p rm limited
}
do_signals() {
  p run -d --name signals --network none --stop-signal USR2 $image sh -c \
    'trap "echo one" USR1; trap "echo two; exit 7" USR2; echo ready; while :; do sleep 0.1; done'
  becomes has ready p logs signals
  p kill -s USR1 signals
  becomes has one p logs signals
  p stop -t 60 signals
  is 7 p inspect -f '{{.State.ExitCode}}' signals
  is "$(printf 'ready\none\ntwo')" p logs signals
  p rm signals
}
do_restart_policy() {
  mkdir -p "$work/restarts"
  chmod 777 "$work/restarts"
  p run -d --name restarts --network none --restart on-failure:2 -v "$work/restarts:/r" $image sh -c 'echo x >>/r/n; exit 1'
  becomes holds "$work/restarts/n" "$(printf 'x\nx\nx')"
  becomes is exited p inspect -f '{{.State.Status}}' restarts
  p rm -f -t 0 restarts
}
# One process alone, so that nobody is left to tell of another's end.
do_oom() { status_is 137 '^$' p run --rm --network none --memory 16m --memory-swap 16m $image dd if=/dev/zero of=/dev/null bs=60M count=1; }
do_clean() {
  p rm -fa -t 0
  nothing_remains
}

if [ "${QUICK:-0}" = 1 ]; then
  actions run exit_status errors terminal limits limits_inside exec exec_terminal exec_detached top_stats update pause stop_slow clean
else
  actions run exit_status errors network terminal detach_keys limits limits_inside exec exec_terminal exec_detached exec_parallel \
    top_stats update pause stop_slow signals restart_policy oom clean
fi
