#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What spec-tests sees of Intel RDT, on the kernel's own resctrl, without a processor that has it.

  resctrl.py SUITE SPEC_TESTS RUNTIME REPORT.json [FILTER]

Boots the kernel of the guest SUITE with nothing but busybox, spec-tests and the runtime with its libraries, as a Haswell
server: there the kernel asks a register whether caches can be allocated. QEMU has no such register; its debugger
gives the answer in its place, and that for monitoring. What is written afterwards ends in registers that do not exist,
which a test cannot tell: schemata, groups and tasks are the kernel's.
"""
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time

import vm

INIT = """#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t tmpfs tmpfs /new
for entry in /*; do
  case $entry in /new | /proc | /sys | /dev) ;; *) cp -a $entry /new ;; esac
done
mkdir -p /new/proc /new/sys /new/dev /new/tmp /new/run /new/root
exec switch_root /new /main
"""
MAIN = """#!/bin/busybox sh
export PATH=/bin HOME=/root
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mkdir -p /tmp/results
mount -t tmpfs tmpfs /run
mount -t cgroup2 cgroup /sys/fs/cgroup
mount -t resctrl resctrl /sys/fs/resctrl && cat /sys/fs/resctrl/schemata
ip link set lo up
/spec-tests --runtime /runtime --patience 120 --report /tmp/results/report.json --filter 'FILTER'
cat /tmp/results/report.json >/dev/ttyS1
sync
poweroff -f
"""


class Debugger:
    """QEMU's debugger, in as much of GDB's protocol as this takes."""
    RAX = 0

    def __init__(self, path):
        end = time.time() + 60
        self.link = socket.socket(socket.AF_UNIX)
        while self.link.connect_ex(path) != 0:
            if time.time() > end:
                raise vm.Failure("QEMU opens no debugger")
            time.sleep(0.05)
        self.received = b""

    def packet(self):
        while not (found := re.search(rb"\$([^#]*)#..", self.received)):
            chunk = self.link.recv(4096)
            if not chunk:
                raise vm.Failure("QEMU is gone")
            self.received += chunk
        self.received = self.received[found.end():]
        self.link.sendall(b"+")
        return found.group(1).decode()

    def send(self, text):
        self.link.sendall(f"${text}#{sum(text.encode()) % 256:02x}".encode())

    def ask(self, text):
        self.send(text)
        answer = self.packet()
        if answer.startswith("E") or not answer:
            raise vm.Failure(f"QEMU's debugger refuses {text}: {answer}")
        return answer

    def stop_at(self, address):
        self.ask(f"Z1,{address:x},1")

    def go_on_from(self, address):
        self.ask(f"z1,{address:x},1")

    def run(self):
        """Runs to the next stop and returns where that is."""
        self.send("c")
        self.packet()
        return struct.unpack("<Q", bytes.fromhex(self.ask("p10")))[0]

    def set_rax(self, value):
        self.ask(f"P{self.RAX:x}={struct.pack('<Q', value).hex()}")

    def write(self, address, data):
        self.ask(f"M{address:x},{len(data):x}:{data.hex()}")


class Kernel:
    """An uncompressed kernel, to look for code in."""

    def __init__(self, bzimage):
        with open(bzimage, "rb") as file:
            packed = file.read()
        at = packed.index(b"\x28\xb5\x2f\xfd")  # zstd
        # What follows the stream is none of it, which zstd calls an error.
        self.image = subprocess.run(["zstd", "-dcq"], input=packed[at:], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
        if self.image[:4] != b"\x7fELF":
            raise vm.Failure(bzimage + " is not packed with zstd")
        header, count, = struct.unpack_from("<Q", self.image, 32)[0], struct.unpack_from("<H", self.image, 56)[0]
        self.segments = []
        for n in range(count):
            kind, _, offset, address, _, size = struct.unpack_from("<IIQQQQ", self.image, header + 56 * n)
            if kind == 1:
                self.segments.append((offset, size, address))

    def address(self, offset):
        for begin, size, address in self.segments:
            if begin <= offset < begin + size:
                return address + offset - begin
        raise vm.Failure("no code there")

    def offset(self, address):
        for offset, size, begin in self.segments:
            if begin <= address < begin + size:
                return offset + address - begin
        raise vm.Failure("no such code")

    def find(self, pattern, begin, length):
        found = re.compile(pattern, re.DOTALL).search(self.image, begin, begin + length)
        if not found:
            raise vm.Failure("this kernel's resctrl is compiled in another way than known here")
        return found

    def relative(self, end):
        """The address that the last four bytes of an instruction say, in relation to its end."""
        return self.address(end) + struct.unpack_from("<i", self.image, end - 4)[0]


def answers(kernel):
    """Where the kernel looks for what only hardware has, and what it should see: address, value of rax, memory."""
    # cache_alloc_hsw_probe: writes 20 bits to MSR 0xc90, and reads them back.
    probe = kernel.find(rb"[\xb9\xbb\xbf]\x90\x0c\0\0", 0, len(kernel.image))
    compare = kernel.find(rb"\x48?\x3d\xff\xff\x0f\0", probe.end(), 96)
    # rdt_cpu_has(X86_FEATURE_CQM_OCCUP_LLC), then rdt_get_mon_l3_config, which reads three neighbours of cpuinfo_x86:
    # x86_cache_max_rmid, x86_cache_occ_scale, x86_cache_mbm_width_offset.
    asked = kernel.find(rb"\xbf\x61\x01\0\0.{0,8}?\xe8....", probe.start() - 8192, 16384)
    config = kernel.find(rb"\x48\xc7\xc7....\xe8....\x85\xc0\x0f\x94", asked.end(), 160)
    entry = kernel.offset(kernel.relative(config.end() - 4))
    loads = re.compile(rb"\x8b[\x05\x0d\x15\x1d\x25\x2d\x35\x3d]....", re.DOTALL).finditer(kernel.image, entry, entry + 512)
    read = {kernel.relative(load.end()) for load in loads}
    maximum = [address for address in read if {address + 4, address + 8} <= read]
    if len(maximum) != 1:
        raise vm.Failure("this kernel's resctrl is compiled in another way than known here")
    return {kernel.address(compare.start()): (0xfffff, None),
            kernel.address(asked.end()): (1, (maximum[0], struct.pack("<iii", 31, 65536, 0)))}


def libraries(program):
    """Those of a program that is not static, and what loads them."""
    said = subprocess.run(["ldd", program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    return {path.lstrip("/"): path for path in re.findall(r"(/\S+)(?: =>| \(0x)", said)}


def initramfs(target, files):
    tree = tempfile.mkdtemp(prefix="davit-vm-")
    for name, source in files.items():
        os.makedirs(os.path.dirname(f"{tree}/{name}"), exist_ok=True)
        shutil.copy(source, f"{tree}/{name}")
        os.chmod(f"{tree}/{name}", 0o755)
    os.makedirs(tree + "/new")
    with open(target, "wb") as out:
        names = subprocess.run(["find", "."], cwd=tree, stdout=subprocess.PIPE, check=True).stdout
        subprocess.run(["cpio", "-o", "-H", "newc", "--quiet", "-R", "0:0"], cwd=tree, input=names, stdout=out, check=True)
    shutil.rmtree(tree)


def boot(image, directory, seconds):
    command = [*vm.qemu(), "-nodefaults", "-no-user-config", "-machine", "pc,hpet=off,usb=off", "-display", "none", "-no-reboot",
               "-accel", "tcg,thread=single", "-m", "1024", "-S",
               "-cpu", "max,vendor=GenuineIntel,family=6,model=63,stepping=2,la57=off",
               "-kernel", image + "/vmlinuz", "-initrd", directory + "/initrd.img",
               "-append", "console=ttyS0 quiet loglevel=4 panic=-1 nokaslr mitigations=off random.trust_cpu=on no_timer_check rdinit=/init",
               "-chardev", f"socket,id=debugger,path={directory}/debugger,server=on,wait=off", "-gdb", "chardev:debugger",
               "-serial", "file:" + directory + "/console", "-serial", "file:" + directory + "/report"]
    wanted = answers(Kernel(image + "/vmlinuz"))
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, preexec_fn=vm.die_with_parent)
    try:
        debugger = Debugger(directory + "/debugger")
        for address in wanted:
            debugger.stop_at(address)
        while wanted:
            address = debugger.run()
            if address not in wanted:
                raise vm.Failure(f"stopped at {address:x}")
            rax, memory = wanted.pop(address)
            debugger.set_rax(rax)
            if memory:
                debugger.write(*memory)
            debugger.go_on_from(address)
        debugger.send("c")
        process.wait(seconds)
    finally:
        process.kill()
        process.wait()


def main():
    suite, tests, runtime, report = sys.argv[1:5]
    image = f"{vm.HOME}/{suite}"
    directory = tempfile.mkdtemp(prefix="davit-vm-")
    try:
        for name, text in (("init", INIT), ("main", MAIN.replace("FILTER", (sys.argv[5:] or ["IntelRdt.*"])[0]))):
            with open(f"{directory}/{name}", "w") as file:
                file.write(text)
        initramfs(directory + "/initrd.img", {"init": directory + "/init", "main": directory + "/main", "spec-tests": tests,
                                              "runtime": runtime, "bin/busybox": image + "/root/usr/bin/busybox", **libraries(runtime)})
        try:
            boot(image, directory, int(os.environ.get("DAVIT_VM_SECONDS", "1200")))
        finally:
            with open(directory + "/console", errors="replace") as console:
                print(console.read())
        shutil.copy(directory + "/report", report)
        return 0 if os.path.getsize(report) else 1
    except (vm.Failure, subprocess.TimeoutExpired) as failure:
        print("resctrl.py:", failure, file=sys.stderr)
        return 125
    finally:
        shutil.rmtree(directory)


if __name__ == "__main__":
    sys.exit(main())
