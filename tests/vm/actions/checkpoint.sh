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
do_clean() {
  p rm -fa -t 0
  ctr task rm -f ctr || true
  ctr container rm ctr || true
  nothing_remains
}

actions plain export pre_checkpoint terminal shell address
ENGINE=containerd actions ctr
actions clean
