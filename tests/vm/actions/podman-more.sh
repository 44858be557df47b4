# SPDX-License-Identifier: Apache-2.0
# Podman, root or rootless: what else it offers.
. /share/lib.sh
[ "$(id -u)" = 0 ] && ENGINE=podman || ENGINE=rootless
. /share/podman-lib.sh
root() { [ "$(id -u)" = 0 ]; }
manager() { if root; then systemctl "$@"; else systemctl --user "$@"; fi; }
once() { p run --rm --network none "$@"; }
# podman without a time limit of its own, for systemd-run
transient() { if root; then systemd-run -q --pipe --wait "$@"; else systemd-run --user -q --pipe --wait "$@"; fi; }

do_pod() {
  p pod create --name pod --network none $(root && echo --memory 128m)
  p run -d --pod pod --name first --pidfile "$work/first" $image sleep 1000
  p run -d --pod pod --name second --memory 32m $image sleep 1000
  is "$(readlink "/proc/$(cat "$work/first")/ns/net")" p exec second readlink /proc/self/ns/net
  is 33554432 p exec second cat /sys/fs/cgroup/memory.max
  if root; then is 134217728 limit "$(dirname "$(cgroup_of "$(cat "$work/first")")")" memory.max; fi
  p pod stop -t 1 pod
  p pod rm -f pod
}
do_kube() {
  mkdir -p "$work/kube"
  chmod 777 "$work/kube"
  cat >"$work/kube.yaml" <<END
apiVersion: v1
kind: Pod
metadata: {name: kube}
spec:
  restartPolicy: Never
  volumes: [{name: v, hostPath: {path: $work/kube}}]
  initContainers:
  - {name: first, image: $image, command: [sh, -c, "echo init >/v/init"], volumeMounts: [{name: v, mountPath: /v}]}
  containers:
  - name: main
    image: $image
    command: [sh, -c, "cat /v/init /sys/fs/cgroup/memory.max /sys/fs/cgroup/cpu.max >/v/main; sleep 1000"]
    volumeMounts: [{name: v, mountPath: /v}]
    resources: {limits: {memory: 48Mi, cpu: 500m}}
    securityContext: {runAsUser: 0, capabilities: {drop: [ALL]}}
END
  p kube play --network none "$work/kube.yaml"
  becomes holds "$work/kube/main" "$(printf 'init\n50331648\n50000 100000')"
  p kube down "$work/kube.yaml" || p play kube --down "$work/kube.yaml"
  p rm -fa -t 0
}
do_userns() {
  if root; then
    has '^ *0 +[1-9][0-9]* +[0-9]+$' once --userns auto $image cat /proc/self/uid_map
    has '^ *0 +100000 +5000$' once --uidmap 0:100000:5000 --gidmap 0:100000:5000 $image cat /proc/self/uid_map
  else
    is '1000 1000' once --userns keep-id $image sh -c 'echo $(id -u) $(id -g)'
    has '^ *0 +1 +[0-9]+$' once --userns nomap $image cat /proc/self/uid_map
    once --userns auto $image true
  fi
  is 'crw-rw-rw- 0 0' stat -c '%A %u %g' /dev/null
}
do_volumes_mapped() {
  mkdir -p "$work/u" "$work/idmap"
  if root; then
    touch "$work/idmap/file"
    is 0 once --uidmap 0:100000:5000 --gidmap 0:100000:5000 -v "$work/idmap:/v:idmap" $image stat -c %u /v/file
    is 0 once --uidmap 0:100000:5000 --gidmap 0:100000:5000 -v "$work/u:/v:U" $image stat -c %u /v
    is 100000 stat -c %u "$work/u"
  else
    is 1000 once --user 1000 -v "$work/u:/v:U" $image stat -c %u /v
    is 100999 stat -c %u "$work/u"
  fi
}
do_volumes() {
  p volume create data
  once -v data:/d $image sh -c 'echo kept >/d/file'
  is kept once -v data:/d:ro $image cat /d/file
  status_is 1 'Read-only' once -v data:/d:ro $image touch /d/x
  p volume rm data
}
do_secrets() {
  printf hidden | p secret create token -
  is hidden once --secret token $image cat /run/secrets/token
  is hidden once --secret token,type=env,target=T $image sh -c 'echo $T'
  p secret rm token
}
do_mounts() {
  mkdir -p "$work/b"
  is 'tmpfs 1024 rw,noexec 700' once --mount type=tmpfs,dst=/t,tmpfs-size=1m,tmpfs-mode=700,noexec $image sh -c \
    'set -- $(grep " /t " /proc/mounts); echo $1 $(df -k /t | sed -n "2s/[^ ]* *\([0-9]*\).*/\1/p") $(echo $4 | grep -o "^rw")$(echo $4 | grep -o ",noexec") $(stat -c %a /t)'
  has 'master:' once --mount "type=bind,src=$work/b,dst=/b,ro=true,bind-propagation=rslave" $image grep ' /b ' /proc/self/mountinfo
  status_is 1 Read-only once --mount "type=bind,src=$work/b,dst=/b,ro=true" $image touch /b/x
}
do_propagation() {
  root || skip "the host's mounts need root"
  mkdir -p "$work/shared"
  mount -t tmpfs none "$work/shared"
  mount --make-shared "$work/shared"
  p run -d --name spread --network none -v "$work/shared:/s:rshared" --cap-add sys_admin --security-opt apparmor=unconfined $image sleep 1000
  mkdir "$work/shared/in" "$work/shared/out"
  mount -t tmpfs none "$work/shared/in"
  p exec spread grep -q ' /s/in ' /proc/mounts
  p exec spread mount -t tmpfs none /s/out
  grep -q " $work/shared/out " /proc/mounts
  p rm -f -t 0 spread
  umount "$work"/shared/{in,out} "$work/shared"
}
do_devices() {
  if root; then
    is 'character special file 1 3' once --device /dev/null:/dev/other:rw $image stat -c '%F %t %T' /dev/other
    status_is 1 'Operation not permitted' once --cap-add mknod $image sh -c 'mknod /k b 254 0; head -c 1 /k'
    once --device-cgroup-rule 'b 254:0 r' --cap-add mknod $image sh -c 'mknod /k b 254 0; head -c 1 /k >/dev/null'
  else
    has '^crw' once --device /dev/fuse $image ls -l /dev/fuse
  fi
}
do_privileged() {
  has '^CapEff:.*[13]f{7,}' once --privileged $image grep CapEff /proc/self/status
  once --privileged $image sh -c 'mount -t tmpfs none /mnt 2>/dev/null || { mkdir -p /mnt && mount -t tmpfs none /mnt; }'
}
do_apparmor() {
  root || skip "rootless podman sets no profile"
  has '^containers-default.*enforce' once $image cat /proc/self/attr/current
  is unconfined once --security-opt apparmor=unconfined $image cat /proc/self/attr/current
  status_is 126 no-such-profile once --security-opt apparmor=no-such-profile $image true || status_is 125 no-such-profile once --security-opt apparmor=no-such-profile $image true
}
do_seccomp() {
  is 2 once $image sed -n 's/^Seccomp:\t//p' /proc/self/status
  is 0 once --security-opt seccomp=unconfined $image sed -n 's/^Seccomp:\t//p' /proc/self/status
  echo '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO","errnoRet":95}]}' >"$work/seccomp.json"
  status_is 1 'not supported' once --security-opt "seccomp=$work/seccomp.json" $image mkdir /x
  is 1 once --security-opt no-new-privileges $image sed -n 's/^NoNewPrivs:\t//p' /proc/self/status
  is 0 once --security-opt mask=/proc/version $image sh -c 'cat /proc/version | wc -c'
}
do_init() { has 'init' once --init $image cat /proc/1/cmdline; }
do_host_namespaces() {
  is "$(readlink /proc/self/ns/uts)" p run --rm --pid host --ipc host --uts host --network host --cgroupns host $image readlink /proc/self/ns/uts
}
do_cgroups_disabled() {
  if [ "$RT" = runc ]; then skip "runc cannot"; fi
  has 'session|service' once --cgroups disabled --cgroupns host $image cat /proc/self/cgroup
}
do_cgroups_split() { has '/libpod-payload-[0-9a-f]{64}' transient podman "${options[@]}" run --rm --network none --cgroups split --cgroupns host $image cat /proc/self/cgroup; }
do_notify_conmon() {
  transient -p Type=notify -p NotifyAccess=all podman "${options[@]}" run --rm --network none --sdnotify conmon $image true
}
do_notify_container() {
  transient -p Type=notify -p NotifyAccess=all -p TimeoutStartSec=90 podman "${options[@]}" run --rm --network none --sdnotify container \
    $image sh -c 'test -n "$NOTIFY_SOCKET" && printf READY=1 | nc -uU "$NOTIFY_SOCKET" 2>/dev/null || sleep 0' || skip "busybox has no way to send to the socket"
}
do_quadlet() {
  [ -e /usr/lib/systemd/system-generators/podman-system-generator ] || skip "this Podman has none"
  local dir=/etc/containers/systemd
  root || dir=~/.config/containers/systemd
  mkdir -p "$dir"
  cat >"$dir/quadlet.container" <<END
[Container]
Image=$image
Exec=sh -c 'echo from quadlet; exec sleep 1000'
Network=none
GlobalArgs=--runtime=$RT --cgroup-manager=$CG
[Service]
TimeoutStartSec=180
END
  manager daemon-reload
  manager start quadlet
  manager is-active quadlet
  has 'from quadlet' p logs systemd-quadlet
  has '/quadlet.service/' cat "/proc/$(p inspect -f '{{.State.Pid}}' systemd-quadlet)/cgroup"
  manager stop quadlet
  rm "$dir/quadlet.container"
  manager daemon-reload
}
do_healthcheck() {
  p run -d --name health --network none --health-cmd 'test -e /ok' --health-interval 2s --health-retries 1 $image sh -c 'touch /ok; exec sleep 1000'
  p healthcheck run health
  becomes has healthy p inspect -f '{{.State.Health.Status}}' health
  manager list-timers --no-legend | grep -qE '[0-9a-f]{60}'
  p exec health rm /ok
  becomes has unhealthy p inspect -f '{{.State.Health.Status}}' health
  p rm -f -t 0 health
}
do_copy_commit() {
  p run -d --name changed --network none $image sleep 1000
  echo content >"$work/file"
  p cp "$work/file" changed:/home/file
  is content p exec changed cat /home/file
  p commit -q changed localhost/committed
  is content once localhost/committed cat /home/file
  p rm -f -t 0 changed
  p rmi -f localhost/committed
}
do_build() {
  mkdir -p "$work/build"
  echo from-context >"$work/build/file"
  echo secret >"$work/secret"
  cat >"$work/build/Containerfile" <<END
FROM $image
RUN echo shell >/shell && test "\$(id -u)" = 0
RUN ["sh", "-c", "echo exec >/exec"]
COPY file /file
RUN --mount=type=tmpfs,target=/t touch /t/x && grep -q ' /t tmpfs' /proc/mounts
RUN --mount=type=bind,target=/context cat /context/file >/bound
RUN --mount=type=cache,target=/cache touch /cache/x
RUN --mount=type=secret,id=s cat /run/secrets/s >/seen
USER 1000
RUN id -u >/tmp/user
END
  p build -q --network none --pull=never --secret "id=s,src=$work/secret" -t localhost/built "$work/build"
  is "$(printf 'shell\nexec\nfrom-context\nfrom-context\nsecret\n1000')" once localhost/built cat /shell /exec /file /bound /seen /tmp/user
  p rmi -f localhost/built
}
do_hooks() {
  mkdir -p "$work/hooks"
  chmod 777 "$work" "$work/hooks"
  printf '#!/bin/sh\ncat >%s/hook.$1\n' "$work" >"$work/hook"
  chmod +x "$work/hook"
  local stage
  for stage in prestart createRuntime createContainer poststart poststop; do
    echo "{\"version\":\"1.0.0\",\"hook\":{\"path\":\"$work/hook\",\"args\":[\"hook\",\"$stage\"]},\"when\":{\"always\":true},\"stages\":[\"$stage\"]}" >"$work/hooks/$stage.json"
  done
  p --hooks-dir "$work/hooks" run --rm --network none $image true
  is stopped jq -r .status "$work/hook.poststop"
  is creating jq -r .status "$work/hook.createRuntime"
}
do_clean() {
  p rm -fa -t 0
  p volume prune -f
  nothing_remains
}
actions pod kube userns volumes_mapped volumes secrets mounts propagation devices privileged apparmor seccomp init host_namespaces \
  cgroups_disabled cgroups_split notify_conmon quadlet healthcheck copy_commit build hooks clean
