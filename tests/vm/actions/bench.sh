# SPDX-License-Identifier: Apache-2.0
# How long a container's life takes with either manager, for all runtimes side by side; medians of ROUNDS. Emulated
# times are good for ratios alone.
. /share/lib.sh
rounds=${ROUNDS:-15}
flag=()
[ "$CG" = systemd ] && flag=(--systemd-cgroup)
mkdir -p "$work/bundle/rootfs"/{bin,proc,dev,sys}
cp /usr/bin/busybox "$work/bundle/rootfs/bin/"
ln -s busybox "$work/bundle/rootfs/bin/sleep"
cd "$work/bundle" && runc spec
timed() { # timed FILE COMMAND...
  local begin=$EPOCHREALTIME
  "${@:2}" </dev/null >"$work/log" 2>&1 || cat "$work/log"
  awk "BEGIN { printf \"%.1f\n\", ($EPOCHREALTIME - $begin) * 1000 }" >>"$1"
}
for round in $(seq "$rounds"); do
  for one in davit crun runc; do
    id=davit-vm-$one-$round
    path=/davit-vm/$id
    [ "$CG" = systemd ] && path=system.slice:davit-vm:$one-$round
    jq --arg path "$path" '.process.terminal = false | .process.args = ["/bin/sleep", "1000"] | .linux.cgroupsPath = $path' config.json >"$work/config.json" &&
      cp "$work/config.json" config.json
    timed "$work/create-$one" "$one" "${flag[@]}" create --bundle . "$id"
    timed "$work/start-$one" "$one" start "$id"
    timed "$work/delete-$one" "$one" delete --force "$id"
  done
done
for command in create start delete; do
  printf 'bench: %s %-7s' "$CG" "$command"
  for one in davit crun runc; do printf ' %s %s ms' "$one" "$(sort -n "$work/$command-$one" | sed -n "$(((rounds + 1) / 2))p")"; done
  echo
done
