# SPDX-License-Identifier: Apache-2.0
# Many containers at once beside a manager that has much to do, by the runtime alone and by Podman.
. /share/lib.sh
ENGINE=storm
. /share/podman-lib.sh
count=${COUNT:-50}
flag=()
[ "$CG" = systemd ] && flag=(--systemd-cgroup)
# What takes a second elsewhere takes an emulator on a busy machine minutes.
[ "$RT" = davit ] && flag+=(--systemd-timeout 600) options+=(--runtime-flag systemd-timeout=600)

busy_manager() {
  local n=0
  for n in $(seq 100); do systemd-run -q --unit "idle-$n" --slice idle.slice sleep 10000; done
  while :; do
    systemd-run -q --collect --unit "load-$((n++))" true
    [ $((n % 20)) = 0 ] && systemctl daemon-reload
    sleep 0.1
  done
}
bundle() {
  mkdir -p "$work/bundle/rootfs/bin" "$work/bundle/rootfs/proc" "$work/bundle/rootfs/dev" "$work/bundle/rootfs/sys"
  cp /usr/bin/busybox "$work/bundle/rootfs/bin/"
  ln -sf busybox "$work/bundle/rootfs/bin/sleep"
  (cd "$work/bundle" && rm -f config.json && "$runtime" spec)
}
# one N: the life of a container as an engine leads it
one() {
  local id=davit-vm-$1 dir=$work/b$1 path=/davit-vm/davit-vm-$1
  [ "$CG" = systemd ] && path=system.slice:davit-vm:$1
  mkdir -p "$dir"
  jq --arg path "$path" --arg root "$work/bundle/rootfs" '.process.terminal = false | .process.args = ["/bin/sleep", "1000"] | .root.path = $root
    | .linux.cgroupsPath = $path | .linux.resources.memory = {"limit": 33554432} | .linux.resources.pids = {"limit": 20}' "$work/bundle/config.json" >"$dir/config.json"
  "$runtime" "${flag[@]}" create --bundle "$dir" --pid-file "$dir/pid" "$id" </dev/null >"$dir/log" 2>&1 || { cat "$dir/log"; return 1; }
  "$runtime" "${flag[@]}" start "$id" || return 1
  local where
  where=$(cgroup_of "$(cat "$dir/pid")")
  is 33554432 limit "$where" memory.max && is 20 limit "$where" pids.max || return 1
  [ "$("$runtime" state "$id" | jq -r .status)" = running ] || return 1
  "$runtime" "${flag[@]}" kill "$id" KILL || return 1
  "$runtime" "${flag[@]}" delete --force "$id" || return 1
  echo lived >"$dir/result"
}
mounts() { wc -l </proc/self/mountinfo; }
do_storm() {
  local before n
  bundle
  before=$(mounts)
  for n in $(seq "$count"); do one "$n" >"$work/one-$n" 2>&1 & done
  wait $(jobs -p) || true
  is "$count" sh -c "cat '$work'/b*/result | grep -c lived" || { grep -h . "$work"/one-* | sort | uniq -c | sort -n | tail -5; return 1; }
  nothing_remains
  is "$before" mounts
}
do_storm_podman() {
  local before
  before=$(mounts)
  # Fifty at once keep an emulator so busy with themselves that in ten minutes none of them comes to its runtime.
  seq "$count" | xargs -P 10 -I '{}' timeout 600 podman "${options[@]}" run -d --name 'storm-{}' --network none --memory 32m $image sleep 1000 >"$work/podman" 2>&1 || true
  is "$count" sh -c 'podman ps -q | wc -l' || { sort "$work/podman" | uniq -c | sort -n | tail -5; return 1; }
  p ps -q | xargs -P 10 -n 1 timeout 600 podman "${options[@]}" rm -f -t 0 >/dev/null
  nothing_remains
  is "$before" mounts
}
do_messages() {
  [ "$CG" = systemd ] || skip "no manager is asked"
  [ "$RT" = davit ] || skip "counted for davit"
  bundle
  local dir=$work/counted
  mkdir -p "$dir"
  jq --arg root "$work/bundle/rootfs" '.process.terminal = false | .process.args = ["/bin/sleep", "1000"] | .root.path = $root
    | .linux.cgroupsPath = "system.slice:davit-vm:counted"' "$work/bundle/config.json" >"$dir/config.json"
  # Not of its children: strace would wait for the container.
  trace() { strace -qq -yy -xx -s 200000 -e trace=sendmsg,sendto,write,writev,recvmsg,recvfrom,read,readv -o "$dir/trace.$1" "${@:2}"; }
  trace create "$runtime" "${flag[@]}" create --bundle "$dir" --pid-file "$dir/pid" davit-vm-counted </dev/null >"$dir/log" 2>&1
  trace start "$runtime" start davit-vm-counted
  trace kill "$runtime" kill davit-vm-counted KILL
  trace delete "$runtime" delete --force davit-vm-counted
  local step
  for step in create start kill delete; do echo "storm: D-Bus messages of $step: $(python3 /share/messages.py "$dir/trace.$step")"; done | tee /out/messages
  cp "$dir"/trace.* /out/
  nothing_remains
}
busy_manager 2>/dev/null &
manager=$!
sleep 5
actions storm
[ "${QUICK:-0}" = 1 ] || actions storm_podman
kill $manager
actions messages
cat /out/messages 2>/dev/null
