# SPDX-License-Identifier: Apache-2.0
# systemd as the first process of a container by Podman: root, in a user namespace, rootless.
. /share/lib.sh
[ "$(id -u)" = 0 ] && ENGINE=systemd-in || ENGINE=systemd-in-rootless
. /share/podman-lib.sh
machine=/usr/local/lib/davit-vm/machine
[ "$(id -u)" = 0 ] || machine=$HOME/machine
inside() { p exec machine "$@"; }
# boot [OPTION OF ROOTFS [ARGUMENT...]]
boot() { p run -d --name machine --network none -v "$runtime:/usr/local/bin/$RT:ro" "${@:2}" --rootfs "$machine${1:-}" /sbin/init; }
up() { becomes has '^(running|degraded)$' timeout 600 podman "${options[@]}" exec machine sh -c 'systemctl is-system-running --wait || true'; }
all_well() { is "" inside systemctl --failed --no-legend --plain; }
down() {
  p stop -t 90 machine
  # systemd ends so when it is told SIGRTMIN+3; a kill after the time would be 137
  has '^(0|130)$' p inspect -f '{{.State.ExitCode}}' machine
  p rm machine
}

do_boot() {
  boot
  inside true
  up
  all_well
}
do_limits_of_services() {
  status_is 0 'MemoryMax=20971520' inside sh -c 'systemd-run -q --unit small -p MemoryMax=20M sleep 1000 && systemctl show -p MemoryMax small'
  has '^20971520$' inside sh -c 'cat /sys/fs/cgroup/system.slice/small.service/memory.max'
  has 'oom-kill' inside sh -c 'systemd-run -q --wait -p MemoryMax=20M -p MemorySwapMax=0 --unit big sh -c "x=\$(head -c 60000000 /dev/zero | tr \"\\0\" a); echo \${#x}" ; systemctl show -p Result big'
}
do_nested() {
  [ "$RT" = davit ] || skip "davit in the machine"
  boot '' --privileged
  up
  has 'from the inner one' inside sh -c '
    cd /run && mkdir -p b/rootfs/bin b/rootfs/proc b/rootfs/dev b/rootfs/sys b/rootfs/lib64 b/rootfs/lib/x86_64-linux-gnu
    cp -L /lib64/ld-linux-x86-64.so.2 b/rootfs/lib64/
    cp -L /lib/x86_64-linux-gnu/libc.so.6 /lib/x86_64-linux-gnu/libtinfo.so.6 b/rootfs/lib/x86_64-linux-gnu/
    cp /bin/bash /run/b/rootfs/bin/sh
    cd /run/b && davit spec && sed -i -e "s/\"terminal\": true/\"terminal\": false/" -e "s/^\( *\)\"sh\"/\1\"sh\", \"-c\", \"echo from the inner one\"/" config.json
    davit '"$([ "$CG" = systemd ] && echo --systemd-cgroup)"' run inner'
  down
}
do_down() { down; }
do_four_in_a_row() {
  local n
  for n in 1 2 3 4; do
    boot
    up
    down
  done
}
do_userns_auto() {
  [ "$(id -u)" = 0 ] || skip "root's option"
  boot :idmap --userns auto
  inside true
  up
  all_well
  down
}
do_clean() {
  p rm -fa -t 0
  nothing_remains
}
if [ "${QUICK:-0}" = 1 ]; then actions boot limits_of_services down nested clean
else actions boot limits_of_services down nested userns_auto four_in_a_row clean; fi
