#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A guest under QEMU: boots it once, keeps its memory, and runs each job in a throw-away copy of it.

  vm.py snapshot SUITE [--cgroups v2|v1|hybrid]
  vm.py run SUITE JOB [--user U] [--time S] [--file PATH[:NAME]]... [--env NAME=VALUE]... [--out DIR] [--cgroups ...]

A job is a bash script, run as root or tester in a session of logind; what was given with --file is at /share/NAME, what it
leaves in /out comes to --out. The exit status is the job's; 124: it took too long; 125: the machine failed.
"""
import argparse
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
HOME = os.environ.get("DAVIT_VM_DIR") or os.path.join(
    os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "davit-vm")
MEMORY, CPUS, SHARE = 2048, 2, 256 << 20
# 5-level paging and mitigations cost an emulator much and a test nothing.
KERNEL = ("console=ttyS0 quiet loglevel=3 panic=-1 apparmor=1 security=apparmor systemd.show_status=0 net.ifnames=0 mitigations=off "
          "random.trust_cpu=on no_timer_check rcupdate.rcu_expedited=1 nokaslr swapaccount=1 ")
CGROUPS = {"v2": "systemd.unified_cgroup_hierarchy=1",
           "v1": "systemd.unified_cgroup_hierarchy=0 systemd.legacy_systemd_cgroup_controller=1",
           "hybrid": "systemd.unified_cgroup_hierarchy=0 systemd.legacy_systemd_cgroup_controller=0"}


class Failure(Exception):
    pass


def say(*words):
    print("vm:", *words, file=sys.stderr, flush=True)


def qemu():
    """The command of QEMU with its first options: an unpacked newer one (see `qemu`), or the system's."""
    unpacked = HOME + "/qemu/usr"
    if os.path.exists(unpacked + "/bin/qemu-system-x86_64"):
        return [unpacked + "/bin/qemu-system-x86_64", "-L", unpacked + "/share/seabios", "-L", unpacked + "/share/qemu"]
    return ["qemu-system-x86_64"]


def version_of(command):
    text = subprocess.check_output([*command, "--version"], text=True)
    return int(text.split("version ")[1].split(".")[0])


def accelerator(image):
    """KVM where a kernel really comes up with it: the device alone may belong to a KVM that cannot run one."""
    chosen = os.environ.get("DAVIT_VM_ACCEL")
    remembered = image + "/accelerator"
    if not chosen and os.path.exists(remembered):
        with open(remembered) as file:
            chosen = file.read().strip()
    if not chosen:
        chosen = "kvm" if os.access("/dev/kvm", os.R_OK | os.W_OK) and kvm_works(image) else "tcg"
        with open(remembered, "w") as file:
            file.write(chosen)
    if chosen == "kvm":
        return ["-accel", "kvm", "-cpu", "host"]
    # Before 8.1 an emulated cmpxchg16b without LOCK leaves wrong flags, which a 6.12 kernel does not survive.
    model = "max,la57=off" if version_of(qemu()) >= 9 else "max,la57=off,-cx16"
    return ["-accel", "tcg,thread=multi,tb-size=1024", "-cpu", model]


def kvm_works(image):
    with tempfile.TemporaryDirectory() as directory:
        console = directory + "/console"
        probe = subprocess.Popen([*qemu(), "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-m", "512", "-accel", "kvm",
                                  "-cpu", "host", "-kernel", image + "/vmlinuz", "-initrd", image + "/initrd.img", "-append",
                                  "console=ttyS0 panic=-1", "-serial", "file:" + console],
                                 stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            end = time.time() + 20
            while time.time() < end and probe.poll() is None:
                time.sleep(0.2)
                with contextlib.suppress(OSError), open(console, errors="replace") as file:
                    if "davit-vm: kernel is up" in file.read():
                        return True
            return False
        finally:
            probe.kill()
            probe.wait()


def die_with_parent():
    import ctypes
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class Machine:
    def __init__(self, image, cgroups, disk, share, incoming=None):
        self.directory = tempfile.mkdtemp(prefix="davit-vm-")
        self.output, self.files, self.console = (self.directory + "/" + name for name in ("output", "files", "console"))
        for path in (self.output, self.files):
            open(path, "wb").close()
        self.shown, self.received, self.monitor = 0, b"", None
        command = [
            *qemu(), *accelerator(image), "-nodefaults", "-no-user-config", "-machine", "pc,hpet=off,usb=off",
            "-smp", str(CPUS), "-m", str(MEMORY), "-display", "none", "-no-reboot",
            "-kernel", image + "/vmlinuz", "-initrd", image + "/initrd.img", "-append", KERNEL + CGROUPS[cgroups],
            "-serial", "file:" + self.console,
            "-drive", f"file={disk},format=qcow2,if=none,id=root,cache=unsafe,discard=unmap", "-device", "virtio-blk-pci,drive=root,addr=0x4",
            "-drive", f"file={share},format=raw,if=none,id=share,readonly=on", "-device", "virtio-blk-pci,drive=share,addr=0x5",
            "-device", "virtio-serial-pci,id=ports,addr=0x6",
            "-chardev", f"socket,id=control,path={self.directory}/control,server=on,wait=off",
            "-device", "virtserialport,bus=ports.0,nr=1,chardev=control,name=davit.control",
            "-chardev", "file,id=output,path=" + self.output, "-device", "virtserialport,bus=ports.0,nr=2,chardev=output,name=davit.output",
            "-chardev", "file,id=files,path=" + self.files, "-device", "virtserialport,bus=ports.0,nr=3,chardev=files,name=davit.files",
            "-object", "rng-random,id=rng,filename=/dev/urandom", "-device", "virtio-rng-pci,rng=rng,addr=0x7",
            "-netdev", "user,id=net,restrict=on", "-device", "virtio-net-pci,netdev=net,addr=0x8,romfile=",
            "-qmp", f"unix:{self.directory}/monitor,server=on,wait=off"]
        if incoming:
            command += ["-incoming", incoming]
        with open(self.directory + "/log", "wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=die_with_parent,
                                            start_new_session=True)
        self.control = self.connect("control")

    def connect(self, name):
        end = time.time() + 60
        while True:
            link = socket.socket(socket.AF_UNIX)
            try:
                link.connect(self.directory + "/" + name)
                return link
            except OSError:
                link.close()
                self.check()
                if time.time() > end:
                    raise Failure("QEMU does not open its sockets") from None
                time.sleep(0.02)

    def check(self):
        if self.process.poll() is not None:
            with open(self.directory + "/log", errors="replace") as log:
                raise Failure("QEMU has ended: " + log.read()[-500:])

    def tell(self, line):
        self.control.sendall(line.encode() + b"\n")

    def answer(self, deadline):
        """The next line of the agent, in words; shows the job's output meanwhile."""
        self.control.settimeout(0.2)
        while b"\n" not in self.received:
            if time.time() > deadline:
                raise TimeoutError("no answer of the guest in time")
            self.check()
            with contextlib.suppress(socket.timeout):
                chunk = self.control.recv(4096)
                if not chunk:
                    raise Failure("the guest is gone")
                self.received += chunk
            self.show()
        line, self.received = self.received.split(b"\n", 1)
        self.show()
        return line.decode().split()

    def show(self):
        with open(self.output, "rb") as file:
            file.seek(self.shown)
            chunk = file.read()
        self.shown += len(chunk)
        sys.stdout.buffer.write(chunk)
        sys.stdout.flush()

    def command(self, name, **arguments):
        if not self.monitor:
            self.monitor = self.connect("monitor").makefile("rw")
            json.loads(self.monitor.readline())
            self.command("qmp_capabilities")
        self.monitor.write(json.dumps({"execute": name, "arguments": arguments}) + "\n")
        self.monitor.flush()
        while True:
            reply = json.loads(self.monitor.readline())
            if "return" in reply:
                return reply["return"]
            if "error" in reply:
                raise Failure(f"{name}: {reply['error']}")

    def save(self, path):
        self.command("stop")
        self.command("migrate-set-parameters", **{"max-bandwidth": 10 << 30})
        self.command("migrate", uri=f"exec:cat >'{path}'")
        while (status := self.command("query-migrate").get("status")) != "completed":
            if status in ("failed", "cancelled"):
                raise Failure("the snapshot failed")
            time.sleep(0.1)
        self.command("quit")
        self.process.wait(30)

    def resume(self):
        end = time.time() + 120
        while (status := self.command("query-status")["status"]) != "running":
            if status in ("paused", "prelaunch", "postmigrate"):
                self.command("cont")
            if time.time() > end:
                raise Failure("the snapshot does not come up: " + status)
            time.sleep(0.05)

    def seconds(self):
        """CPU time of QEMU, which other load disturbs less than the time on the wall."""
        with open(f"/proc/{self.process.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)

    def last_words(self):
        with contextlib.suppress(OSError), open(self.console, errors="replace") as file:
            return file.read()[-2000:]
        return ""


def make_share(path, files):
    """A tar at the start of a disk of fixed size; returns the bytes of the tar."""
    with open(path, "wb") as file:
        with tarfile.open(fileobj=file, mode="w", format=tarfile.GNU_FORMAT) as tar:
            def owned_by_root(info):
                info.uid = info.gid = 0
                return info
            for name, source in files:
                tar.add(source, name, filter=owned_by_root)
        size = file.tell()
        if size > SHARE:
            raise Failure(f"the job's files are more than {SHARE >> 20} MiB")
        file.truncate(SHARE)
    return size


def overlay(path, base, kind):
    subprocess.check_call(["qemu-img", "create", "-q", "-f", "qcow2", "-b", os.path.abspath(base), "-F", kind, path])


def snapshot_of(options):
    return f"{HOME}/{options.suite}/snapshots/{options.cgroups}"


def take_snapshot(options):
    image, target = f"{HOME}/{options.suite}", snapshot_of(options)
    if os.path.exists(target + "/memory"):
        return 0
    shutil.rmtree(target, ignore_errors=True)
    os.makedirs(target)
    begin = time.time()
    make_share(target + "/share", [])
    overlay(target + "/disk.qcow2", image + "/disk.img", "raw")
    machine = Machine(image, options.cgroups, target + "/disk.qcow2", target + "/share")
    try:
        up = machine.answer(time.time() + 3600)
        say(f"{options.suite} {options.cgroups} is up after {up[1]} s, CPU {machine.seconds():.0f} s")
        machine.tell("PREPARE")
        if machine.answer(time.time() + 3600)[1:2] != ["0"]:
            raise Failure("the guest could not be prepared")
        say(f"prepared, CPU {machine.seconds():.0f} s")
        machine.save(target + "/memory.new")
        os.rename(target + "/memory.new", target + "/memory")
    except (Failure, TimeoutError) as failure:
        say(failure, machine.last_words())
        return 125
    finally:
        machine.end()
    say(f"snapshot after {time.time() - begin:.0f} s")
    return 0


def run(options):
    image, snapshot = f"{HOME}/{options.suite}", snapshot_of(options)
    with tempfile.TemporaryDirectory(prefix="davit-vm-job-") as directory:
        files = [("job", options.job)]
        for entry in options.file:
            path, _, name = entry.partition(":")
            files.append((name or os.path.basename(path), os.path.realpath(path)))
        with open(directory + "/environment", "w") as file:
            file.write("".join(line + "\n" for line in options.env))
        files.append((".environment", directory + "/environment"))
        size = make_share(directory + "/share", files)
        overlay(directory + "/disk.qcow2", snapshot + "/disk.qcow2", "qcow2")
        machine = Machine(image, options.cgroups, directory + "/disk.qcow2", directory + "/share", "exec:cat " + snapshot + "/memory")
        try:
            machine.resume()
            machine.tell(f"JOB {time.time():.3f} {size} {options.user} {options.time}")
            answer = machine.answer(time.time() + options.time + 120)
            say(f"ended with {answer[1]}, CPU {machine.seconds():.0f} s")
            if options.out and os.path.getsize(machine.files):
                os.makedirs(options.out, exist_ok=True)
                subprocess.call(["tar", "-x", "--no-same-owner", "-C", options.out, "-f", machine.files])
            return int(answer[1])
        except TimeoutError:
            say("the job did not end in time", machine.last_words())
            return 124
        except Failure as failure:
            say(failure, machine.last_words())
            return 125
        finally:
            machine.end()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb, action in (("snapshot", take_snapshot), ("run", run)):
        sub = verbs.add_parser(verb)
        sub.set_defaults(action=action)
        sub.add_argument("suite")
        sub.add_argument("--cgroups", choices=CGROUPS, default="v2")
    sub.add_argument("job")
    sub.add_argument("--user", default="root")
    sub.add_argument("--time", type=int, default=600)
    sub.add_argument("--file", action="append", default=[])
    sub.add_argument("--env", action="append", default=[])
    sub.add_argument("--out")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    return options.action(options)


if __name__ == "__main__":
    sys.exit(main())
