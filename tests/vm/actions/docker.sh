# SPDX-License-Identifier: Apache-2.0
# Docker, with the cgroup driver that it chooses or is told.
. /share/lib.sh
ENGINE=docker
d() { timeout 600 docker "$@"; }
once() { d run --runtime "$RT" --rm --network none "$@"; }
terminal() { timeout 600 python3 /share/terminal.py "$@"; }
pid_of() { d inspect -f '{{.State.Pid}}' "$1"; }
# settings JSON: daemon.json and this, and a new daemon
settings() {
  jq ". + $1" /etc/docker/daemon.json >"$work/daemon.json" && cp "$work/daemon.json" /etc/docker/daemon.json
  systemctl restart docker
}

do_driver() { is "$CG" d info -f '{{.CgroupDriver}}'; }
do_run() {
  is hello once $image echo hello
  status_is 42 '^$' once $image sh -c 'exit 42'
  status_is 127 'not found|no such file' once $image /nonexistent
  is in pipe once -i $image cat
}
pipe() { echo in | "$@"; }
do_network() { has 'inet 172\.' d run --runtime "$RT" --rm $image ip -4 addr show eth0; }
do_terminal() {
  terminal --size 33x77 -- docker run --runtime "$RT" -it --rm --network none $image sh <<'END'
expect # 
send while [ "$(stty size 2>&1)" != '33 77' ]; do sleep 0.2; done; stty size\n
expect \n33 77
resize 44x99
send while [ "$(stty size)" = '33 77' ]; do sleep 0.2; done; stty size\n
expect 44 99
send printf 'a\\nb\\xff'; exit 5\n
expect a\r\nb\xff
end 5
END
}
do_limits() {
  d run --runtime "$RT" -d --name limited --network none --memory 64m --cpus 0.5 --pids-limit 50 --cpu-shares 512 --cpuset-cpus 0 \
    --cap-drop ALL --ulimit nofile=100:200 --read-only --tmpfs /scratch $image sleep 1000
  local where
  where=$(cgroup_of "$(pid_of limited)")
  is 67108864 limit "$where" memory.max
  is '50000 100000' limit "$where" cpu.max
  is 50 limit "$where" pids.max
  is 0 limit "$where" cpuset.cpus
  case $CG in systemd) [[ $where == */system.slice/docker-*.scope ]] ;; *) [[ $where == /sys/fs/cgroup/docker/* ]] ;; esac
  is "$(printf '67108864\n50000 100000\n50')" d exec limited sh -c "$own_limits"
  is "$(printf '100\n200\n0000000000000000\ndocker-default (enforce)')" d exec limited sh -c \
    'ulimit -n; ulimit -Hn; sed -n "s/^CapEff:\t//p" /proc/1/status; cat /proc/1/attr/current'
}
do_exec() {
  has 'uid=1000.*wheel' d exec -u user -w /tmp -e A=b limited id
  status_is 3 '^$' d exec limited sh -c 'exit 3'
  d exec -d limited touch /scratch/detached
  becomes d exec limited test -e /scratch/detached
}
do_exec_terminal() {
  terminal --size 20x60 -- docker exec -it limited sh <<'END'
expect # 
send while [ "$(stty size 2>&1)" != '20 60' ]; do sleep 0.2; done; stty size; tty\n
expect \n20 60
expect /dev/pts/
send exit 4\n
end 4
END
}
do_top_stats() {
  has 'sleep 1000' d top limited
  has '^[0-9.]+[kKM]iB / 64MiB [1-9]' d stats --no-stream --format '{{.MemUsage}} {{.PIDs}}' limited
}
do_update() {
  d update --memory 80m --memory-swap 100m --cpus 0.25 --pids-limit 60 limited
  local where
  where=$(cgroup_of "$(pid_of limited)")
  is 83886080 limit "$where" memory.max
  is '25000 100000' limit "$where" cpu.max
  is 60 limit "$where" pids.max
}
do_pause() {
  local where
  where=$(cgroup_of "$(pid_of limited)")
  d pause limited
  freezes "$where" yes
  d unpause limited
  freezes "$where" no
}
do_stop_restart() {
  d stop -t 1 limited
  is 137 d inspect -f '{{.State.ExitCode}}' limited
  d restart -t 1 limited
  is true d inspect -f '{{.State.Running}}' limited
  d rm -f limited
}
do_restart_policy() {
  mkdir -p "$work/restarts"
  d run --runtime "$RT" -d --name restarts --network none --restart on-failure:2 -v "$work/restarts:/r" $image sh -c 'echo x >>/r/n; exit 1'
  becomes holds "$work/restarts/n" "$(printf 'x\nx\nx')"
  d rm -f restarts
}
do_init() { has 'docker-init' once --init $image cat /proc/1/cmdline; }
do_host_namespaces() { is "$(readlink /proc/self/ns/uts)" d run --runtime "$RT" --rm --network host --pid host --ipc host --uts host --cgroupns host $image readlink /proc/self/ns/uts; }
do_security() {
  is '2 1' once --security-opt no-new-privileges $image sh -c 'echo $(sed -n "s/^Seccomp:\t//p" /proc/self/status) $(sed -n "s/^NoNewPrivs:\t//p" /proc/self/status)'
  is unconfined once --security-opt apparmor=unconfined $image cat /proc/self/attr/current
}
do_health() {
  d run --runtime "$RT" -d --name health --network none --health-cmd true --health-interval 1s $image sleep 1000
  becomes is healthy d inspect -f '{{.State.Health.Status}}' health
  d rm -f health
}
do_oom() { status_is 137 '^$' once --memory 16m --memory-swap 16m $image dd if=/dev/zero of=/dev/null bs=60M count=1; }
do_build() {
  [ "$RT" = davit ] || skip "a build takes the default runtime, which is davit"
  mkdir -p "$work/build"
  printf 'FROM %s\nRUN echo built >/built && test "$(id -u)" = 0\nUSER 1000\nRUN ["sh", "-c", "id -u >/tmp/user"]\n' $image >"$work/build/Dockerfile"
  DOCKER_BUILDKIT=0 d build -q --network none -t built "$work/build"
  is "$(printf 'built\n1000')" once built cat /built /tmp/user
}
do_compose() {
  docker compose version >/dev/null 2>&1 || skip "no docker compose in this Debian"
  mkdir -p "$work/compose"
  cat >"$work/compose/compose.yaml" <<END
services:
  one:
    image: $image
    runtime: $RT
    command: sh -c 'echo from compose; exec sleep 1000'
    mem_limit: 32m
  two:
    image: $image
    runtime: $RT
    command: sleep 1000
    depends_on: [one]
END
  cd "$work/compose"
  d compose up -d
  has 'from compose' d compose logs one
  is 33554432 d compose exec -T one cat /sys/fs/cgroup/memory.max
  d compose exec -T two ping -c 1 -W 5 one
  d compose down -t 1
}
# As docker:dind has it: mounts and cgroups of its own inside, and a container made there.
do_privileged_nested() {
  [ "$RT" = davit ] || skip "davit in davit"
  has '^CapEff:.*[13]f{7,}' once --privileged $image grep CapEff /proc/self/status
  has 'from the inner one' once --privileged --cgroupns private -v /usr/bin/davit:/davit:ro --tmpfs /run --tmpfs /b:exec $image sh -c '
    mkdir -p /sys/fs/cgroup/init && echo 1 >/sys/fs/cgroup/init/cgroup.procs
    mkdir -p /b/rootfs/bin /b/rootfs/proc /b/rootfs/dev /b/rootfs/sys && cp /bin/busybox /b/rootfs/bin/ && ln -s busybox /b/rootfs/bin/sh && ln -s busybox /b/rootfs/bin/echo
    cd /b && /davit spec && sed -i -e "s/\"terminal\": true/\"terminal\": false/" -e "s/^\( *\)\"sh\"/\1\"sh\", \"-c\", \"echo from the inner one\"/" config.json
    /davit run inner'
}
do_remap() {
  settings '{"userns-remap": "default"}'
  d load -q -i /usr/local/lib/davit-vm/images.tar
  has '^ *0 +5000000 +65536$' once $image cat /proc/self/uid_map
  d run --runtime "$RT" -d --name mapped --network none --memory 64m $image sleep 1000
  has 'uid=1000' d exec -u 1000 mapped id
  d rm -f mapped
}
# README's way from an image to a bundle.
do_rootfs() {
  mkdir -p "$work/web/rootfs"
  d export "$(d create --name exported --network none $image true)" | tar -xC "$work/web/rootfs"
  d rm exported
  "$runtime" spec --bundle "$work/web"
  jq '.process.terminal = false | .process.args = ["sh", "-c", "echo hello; wc -c <bin/busybox"]' \
    "$work/web/config.json" >"$work/config.json" && mv "$work/config.json" "$work/web/"
  is "$(printf 'hello\n%s' "$(once $image sh -c 'wc -c <bin/busybox')")" "$runtime" run --bundle "$work/web" web
}
do_clean() { nothing_remains; }

# systemd is its choice on cgroup v2 only.
{ [ "$CG" = systemd ] && unified; } || settings "{\"exec-opts\": [\"native.cgroupdriver=$CG\"]}" || exit 1
# It asks each runtime for its features then, and davit came after the daemon.
[ "$CG" != systemd ] || systemctl kill -s HUP docker
if [ "${QUICK:-0}" = 1 ]; then
  actions driver run terminal limits exec exec_terminal update pause stop_restart clean
else
  actions driver run network terminal limits exec exec_terminal top_stats update pause stop_restart restart_policy init host_namespaces \
    security health oom build compose rootfs privileged_nested clean remap
fi
