# SPDX-License-Identifier: Apache-2.0
# containerd: its own client ctr, then CRI.
. /share/lib.sh
ENGINE=containerd
image=localhost/busybox:latest
flags=(--runc-binary "$runtime")
[ "$CG" = systemd ] && flags+=(--runc-systemd-cgroup)
# ctr needs to be told the systemd manager's kind of path
place() { if [ "$CG" = systemd ]; then echo "system.slice:davit-vm:$1"; else echo "/davit-vm/$1"; fi; }
c() { timeout 600 ctr "$@"; }
once() { local id=$1; shift; c run --rm "${flags[@]}" --cgroup "$(place "$id")" "$@"; }
pid_of() { c task ls | awk -v id="$1" '$1 == id { print $2 }'; }

do_run() {
  has 'davit-vm' once c1 $image c1 cat /proc/self/cgroup
  status_is 42 . once c2 $image c2 sh -c 'exit 42' || status_is 42 '^$' once c2 $image c2 sh -c 'exit 42'
}
# ctr leaves its own terminal translating what it shows: a second CR for whoever is below.
do_run_terminal() {
  timeout 600 python3 /share/terminal.py -- ctr run --rm -t "${flags[@]}" --cgroup "$(place c3)" $image c3 sh <<'END'
expect # 
send tty; printf 'a\\nb'; exit 6\n
expect /dev/
expect a\r
expect \nb
end 6
END
}
do_limits() {
  c run -d "${flags[@]}" --cgroup "$(place limited)" --memory-limit 67108864 --cpus 0.5 --seccomp $image limited sleep 1000
  local where
  where=$(cgroup_of "$(pid_of limited)")
  [[ $where == *davit-vm* ]]
  is 67108864 limit "$where" memory.max
  is '50000 100000' limit "$where" cpu.max
  is 2 sed -n 's/^Seccomp:\t//p' "/proc/$(pid_of limited)/status"
}
do_exec() {
  is in pipe c task exec --exec-id e1 limited cat
  status_is 5 '^hi$' c task exec --exec-id e2 limited sh -c 'echo hi; exit 5'
}
pipe() { echo in | "$@"; }
do_exec_terminal() {
  timeout 600 python3 /share/terminal.py -- ctr task exec -t --exec-id e3 limited sh <<'END'
expect # 
send tty; exit 4\n
expect /dev/
end 4
END
}
do_metrics() { has 'memory.usage |memory.usage_in_bytes|pids.current' c task metrics limited; has 'PID' c task ps limited; }
do_pause() {
  local where
  where=$(cgroup_of "$(pid_of limited)")
  c task pause limited
  freezes "$where" yes
  has PAUSED c task ls
  c task resume limited
  freezes "$where" no
}
do_kill() {
  c task kill -s KILL limited
  becomes has STOPPED c task ls
  c task rm limited || true
  c container rm limited
}
do_privileged() { has '^CapEff:.*[13]f{7,}' once c5 --privileged --net-host $image c5 grep CapEff /proc/self/status; }
do_user_namespace() { has '^ *0 +100000 +65536$' once c6 --uidmap 0:100000:65536 --gidmap 0:100000:65536 $image c6 cat /proc/self/uid_map; }
do_apparmor() { has 'davit-vm \(enforce\)' once c7 --apparmor-default-profile davit-vm $image c7 cat /proc/self/attr/current; }
do_clean() { nothing_remains; }

actions run run_terminal limits exec exec_terminal metrics pause kill privileged user_namespace apparmor
timeout 900 python3 /share/cri.py || echo "@ $ENGINE $CG $RT cri FAIL 0 the client ended with $?"
actions clean
