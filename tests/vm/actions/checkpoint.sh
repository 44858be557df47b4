# SPDX-License-Identifier: Apache-2.0
# Checkpoint and restore, by the CRIU of the guest: Podman's and ctr's.
. /share/lib.sh
ENGINE=podman
. /share/podman-lib.sh
count='i=0; while :; do i=$((i+1)); echo $i >/next; mv /next /count; echo $i; sleep 0.2; done'
criu() { timeout 300 podman "${options[@]}" container "$@"; }

# counted NAME: how far a container has counted
counted() { p exec "$1" cat /count; }
# goes_on NAME MINIMUM: it counts on from there, and not from the beginning
goes_on() {
  local now
  now=$(counted "$1")
  [ "$now" -ge "$2" ] || { echo "it is at $now, and was at $2"; return 1; }
  becomes more "$1" "$now"
}
more() { [ "$(counted "$1")" -gt "$2" ]; }
ended() { is exited p inspect -f '{{.State.Status}}' "$1"; }

do_plain() {
  p run -d --name plain --memory 64m -v "$work:/volume:ro" $image sh -c "$count"
  becomes more plain 5
  local before
  before=$(counted plain)
  criu checkpoint plain
  ended plain
  criu restore plain
  goes_on plain "$before"
  is 67108864 limit "$(cgroup_of "$(p inspect -f '{{.State.Pid}}' plain)")" memory.max
  p rm -f -t 0 plain
}
do_export() {
  p run -d --name exported --network none $image sh -c "$count"
  becomes more exported 5
  local before
  before=$(counted exported)
  criu checkpoint --leave-running --export "$work/exported.tar" exported
  goes_on exported "$before"
  criu restore --import "$work/exported.tar" --name imported
  goes_on imported "$before"
  p rm -f -t 0 exported imported
}
do_pre_checkpoint() {
  p run -d --name pre --network none $image sh -c "$count"
  becomes more pre 5
  local before
  before=$(counted pre)
  criu checkpoint --pre-checkpoint pre
  goes_on pre "$before"
  criu checkpoint --with-previous pre
  ended pre
  criu restore pre
  goes_on pre "$before"
  p rm -f -t 0 pre
}
do_terminal() {
  p run -dt --name terminal --network none $image sh -c "$count"
  becomes more terminal 5
  local before
  before=$(counted terminal)
  criu checkpoint terminal
  criu restore terminal
  goes_on terminal "$before"
  p rm -f -t 0 terminal
}
# The terminal that a restored shell has is the one that Podman now holds: it hears, speaks and has a size.
do_shell() {
  p run -dit --name shell --network none $image sh
  criu checkpoint shell
  ended shell
  criu restore shell
  terminal --size 33x77 -- podman "${options[@]}" attach shell <<'END'
send while [ "$(stty size)" != '33 77' ]; do sleep 0.2; done; echo a$((1+1))b; exit 3\n
expect a2b
end 0
END
  becomes is 3 p inspect -f '{{.State.ExitCode}}' shell
  p rm -f -t 0 shell
}
address() { p exec "$1" ip -4 -o addr show eth0 | grep -oE 'inet [0-9.]+'; }
# Two cannot have one address, so that what is imported under another name gets another.
do_address() {
  p run -d --name here $image sh -c "$count"
  becomes more here 5
  local before address
  before=$(counted here)
  address=$(address here)
  criu checkpoint --leave-running --export "$work/here.tar" here
  criu restore --import "$work/here.tar" --name there
  goes_on there "$before"
  is "$address" address here
  has '^inet (10|169|192)\.' address there
  [ "$(address there)" != "$address" ] || { echo "both have $address"; return 1; }
  p rm -f -t 0 here there
}
# ctr pauses a task while it is checkpointed. One that began anew would be found out by what it wrote before it counted.
do_ctr() {
  local flags=(--runc-binary "$runtime") place=/davit-vm/ctr before born
  [ "$CG" != systemd ] || { flags+=(--runc-systemd-cgroup) place=system.slice:davit-vm:ctr; }
  ctr run -d "${flags[@]}" --cgroup "$place" --memory-limit 67108864 $image:latest ctr sh -c "cat /proc/sys/kernel/random/uuid >/born; $count"
  becomes more_of_ctr 5
  born=$(in_ctr cat /born)
  before=$(in_ctr cat /count)
  timeout 300 ctr container checkpoint --rw --task ctr localhost/checkpoint:latest
  becomes more_of_ctr "$before"
  ctr task rm -f ctr
  ctr container rm ctr
  timeout 300 ctr container restore --rw --live ctr localhost/checkpoint:latest
  becomes more_of_ctr "$before"
  becomes more_of_ctr "$(in_ctr cat /count)"
  is "$born" in_ctr cat /born
  is 67108864 limit "$(cgroup_of "$(ctr task ls | awk '$1 == "ctr" { print $2 }')")" memory.max
  ctr task rm -f ctr
  ctr container rm ctr
  ctr image rm localhost/checkpoint:latest
}
in_ctr() { timeout 300 ctr task exec --exec-id "read-$EPOCHREALTIME" ctr "$@"; }
more_of_ctr() { [ "$(in_ctr cat /count)" -gt "$1" ]; }
# What no engine asks for, by the runtime alone.
own() { "$runtime" $([ "$CG" != systemd ] || echo --systemd-cgroup) "$@"; }
# counter NAME [FILTER]: a container that counts in the file /count, its config changed by a filter of jq
counter() {
  local dir=$work/$1 path=/davit-vm/$1
  [ "$CG" != systemd ] || path=system.slice:davit-vm:$1
  mkdir -p "$dir"/rootfs/{bin,proc,dev,sys}
  cp /usr/bin/busybox "$dir/rootfs/bin/"
  for name in sh mv sleep; do ln -sf busybox "$dir/rootfs/bin/$name"; done
  (cd "$dir" && "$runtime" spec)
  jq --arg count "$count" --arg path "$path" ".process.terminal = false | .root.readonly = false | .linux.cgroupsPath = \$path
    | .process.args = [\"sh\", \"-c\", \$count] | ${2:-.}" "$dir/config.json" >"$dir/changed" && mv "$dir/changed" "$dir/config.json"
  own run --detach --bundle "$dir" "$1" </dev/null >/dev/null 2>&1
  becomes further "$1" 5
}
further() { [ "$(cat "$work/$1/rootfs/count")" -gt "$2" ]; }
# The pages of the memory go to a server, which somebody brings to where the rest of the images is.
do_page_server() {
  counter served
  mkdir -p "$work/pages" "$work/images"
  command criu page-server -D "$work/pages" --port 27277 --daemon
  own checkpoint --image-path "$work/images" --page-server 127.0.0.1:27277 served
  ! ls "$work"/images/pages-*.img 2>/dev/null
  cp -n "$work"/pages/*.img "$work/images/"
  continues served
}
# continues NAME [OPTION...]: the images bring back what goes on counting
continues() {
  local name=$1 before
  before=$(cat "$work/$name/rootfs/count")
  shift
  own restore --detach --image-path "$work/images" --bundle "$work/$name" "$@" "$name" </dev/null >/dev/null 2>&1
  becomes further "$name" "$before"
  own delete --force "$name"
}
# The container goes on elsewhere, here under another name, before its memory is there.
do_lazy_pages() {
  local before daemon sender
  command criu check --feature uffd-noncoop || skip "this kernel or CRIU has no lazy pages"
  counter lazy
  cp -r "$work/lazy" "$work/moved"
  sed -i 's/davit-vm\([:/]\)lazy/davit-vm\1moved/' "$work/moved/config.json"
  mkdir -p "$work/lazily"
  mkfifo "$work/status"
  exec 9<>"$work/status"
  own checkpoint --lazy-pages --page-server 127.0.0.1:27278 --status-fd 9 --image-path "$work/lazily" lazy 9>&9 &
  sender=$!
  timeout 300 head -c 1 <&9 >/dev/null
  before=$(cat "$work/lazy/rootfs/count")
  command criu lazy-pages --page-server --address 127.0.0.1 --port 27278 -D "$work/lazily" -W "$work/lazily" &
  daemon=$!
  own restore --detach --lazy-pages --image-path "$work/lazily" --bundle "$work/moved" moved </dev/null >/dev/null 2>&1
  becomes further moved "$before"
  wait $sender
  wait $daemon
  own delete --force moved
}
do_profile() {
  local pid
  [ -d /sys/kernel/security/apparmor ] || skip "no AppArmor"
  profiles -a
  counter confined '.process.apparmorProfile = "davit-vm-one"'
  mkdir -p "$work/labelled"
  own checkpoint --image-path "$work/labelled" confined
  own restore --detach --image-path "$work/labelled" --bundle "$work/confined" --lsm-profile apparmor:davit-vm-two confined </dev/null >/dev/null 2>&1
  pid=$(own state confined | jq .pid)
  is 'davit-vm-two (enforce)' cat "/proc/$pid/attr/current"
  own delete --force confined
  profiles -R
}
# profiles -a|-R: loads, or removes, two that allow everything
profiles() {
  local name
  for name in one two; do
    echo "profile davit-vm-$name flags=(attach_disconnected,mediate_deleted) { file, network, capability, signal, ptrace, mount, umount, pivot_root, unix, }"
  done | apparmor_parser "$1"
}
do_clean() {
  p rm -fa -t 0
  ctr task rm -f ctr || true
  ctr container rm ctr || true
  nothing_remains
}

actions plain export pre_checkpoint terminal shell address
ENGINE=containerd actions ctr
ENGINE=criu actions page_server lazy_pages profile
actions clean
