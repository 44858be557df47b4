#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""images.py ROOT DIR: makes of files of ROOT alone DIR/images.tar (localhost/busybox, localhost/pause), an OCI layout and an
archive of `docker save` at once, so that podman, ctr and docker all take it; and DIR/machine, a root with a systemd that
boots, with a copy for the sub-ids of tester, as an import of so much would take an emulator minutes."""
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile

ROOT, TARGET = sys.argv[1:3]
PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Layer:
    """A file system as a tar."""

    def __init__(self):
        self.buffer = io.BytesIO()
        self.tar = tarfile.open(fileobj=self.buffer, mode="w", format=tarfile.GNU_FORMAT)

    def add(self, name, content=None, **attributes):
        info = tarfile.TarInfo(name)
        info.mtime = 1700000000
        for key, value in attributes.items():
            setattr(info, key, value)
        data = content.encode() if isinstance(content, str) else content
        info.size = len(data) if data else 0
        self.tar.addfile(info, io.BytesIO(data) if data else None)

    def directories(self, names):
        for name in names.split():
            self.add(name, type=tarfile.DIRTYPE, mode=0o1777 if name == "tmp" else 0o755)

    def link(self, name, target):
        self.add(name, type=tarfile.SYMTYPE, linkname=target, mode=0o777)

    def copy(self, name, source):
        with open(ROOT + source, "rb") as file:
            self.add(name, file.read(), mode=0o755)

    def bytes(self):
        self.tar.close()
        return self.buffer.getvalue()


def busybox():
    layer = Layer()
    layer.directories("bin dev etc home home/user proc root run sys tmp usr usr/bin usr/sbin sbin var var/run var/tmp")
    layer.copy("bin/busybox", "/usr/bin/busybox")
    for applet in subprocess.check_output([ROOT + "/usr/bin/busybox", "--list"], text=True).split():
        if applet != "busybox":
            layer.link("bin/" + applet, "/bin/busybox")
    layer.add("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home/user:/bin/sh\n", mode=0o644)
    layer.add("etc/group", "root:x:0:\nuser:x:1000:\nwheel:x:10:user\n", mode=0o644)
    return layer


def pause():
    layer = Layer()
    layer.directories("dev etc proc run sys tmp")
    layer.copy("catatonit", "/usr/bin/catatonit")
    return layer


def owned(package):
    """The files of a package, less what a container has no use for, by their real names."""
    listed = subprocess.run(["chroot", ROOT, "dpkg", "-L", package], capture_output=True, text=True, check=True).stdout
    for path in listed.splitlines():
        if path.startswith(("/usr/share", "/usr/lib/modules", "/usr/lib/udev", "/lib/udev", "/boot", "/.", "diverted", "package")) and not (
                path.startswith("/usr/share/dbus-1")):
            continue
        directory, name = os.path.split(path)
        yield os.path.realpath(ROOT + directory).removeprefix(os.path.realpath(ROOT)).rstrip("/") + "/" + name


def machine():
    layer = Layer()
    wanted = ["systemd", "systemd-sysv", "dbus", "libc-bin", "bash", "coreutils", "util-linux", "mount", "procps", "grep", "sed", "mawk"]
    depends = subprocess.run(["chroot", ROOT, "apt-cache", "depends", "--recurse", "--installed", "--no-recommends", "--no-suggests",
                              "--no-conflicts", "--no-breaks", "--no-replaces", "--no-enhances", *wanted],
                             capture_output=True, text=True, check=True).stdout
    unwanted = {"perl-base", "dpkg", "apt", "debconf", "adduser", "passwd", "debianutils", "tar", "udev", "kmod", "init-system-helpers"}
    packages = {line for line in depends.splitlines() if line[:1].isalpha()} - unwanted
    paths = {"/etc/" + name for name in ("passwd", "group", "shadow", "ld.so.cache", "nsswitch.conf", "os-release")}
    for package in packages:
        if os.path.exists(f"{ROOT}/var/lib/dpkg/info/{package}.list") or os.path.exists(f"{ROOT}/var/lib/dpkg/info/{package}:amd64.list"):
            paths.update(owned(package))
    directories = {"/" + name for name in "dev etc proc root run sys tmp usr var var/tmp var/log usr/bin usr/sbin usr/lib usr/lib64 usr/local usr/local/bin".split()}
    for path in sorted(paths):
        if os.path.isdir(ROOT + path) and not os.path.islink(ROOT + path):
            directories.add(path)
            continue
        parent = os.path.dirname(path)
        while parent != "/":
            directories.add(parent)
            parent = os.path.dirname(parent)
    merged = {"bin", "sbin", "lib", "lib64"}
    for path in sorted(directories):
        if path[1:].split("/")[0] not in merged:
            layer.add(path[1:], type=tarfile.DIRTYPE, mode=0o1777 if path in ("/tmp", "/var/tmp") else 0o755)
    for name in merged:
        layer.link(name, "usr/" + name)
    for path in sorted(paths - directories):
        source = ROOT + path
        if path[1:] in merged or not os.path.lexists(source):
            continue
        status = os.lstat(source)
        if os.path.islink(source):
            layer.link(path[1:], os.readlink(source))
        else:
            with open(source, "rb") as file:
                layer.add(path[1:], file.read(), mode=status.st_mode & 0o7777, uid=status.st_uid, gid=status.st_gid)
    layer.link("usr/bin/awk", "mawk")
    layer.link("usr/bin/sh", "bash")
    # Neither a first boot nor one after an update of /usr, whose work an emulator makes felt (ConditionNeedsUpdate).
    layer.add("etc/machine-id", "fedcba9876543210fedcba9876543210\n", mode=0o444)
    for name in ("etc/.updated", "var/.updated"):
        layer.add(name, mode=0o644, mtime=1700000001)
    return layer


def digest(data):
    return hashlib.sha256(data).hexdigest()


def archive(path, images):
    """images: (name, layer, config of the image)"""
    blobs, manifests, index = {}, [], []
    for name, layer, settings in images:
        tar = layer.bytes()
        config = json.dumps({"architecture": "amd64", "os": "linux", "created": "2023-11-14T22:13:20Z", "config": settings,
                             "rootfs": {"type": "layers", "diff_ids": ["sha256:" + digest(tar)]},
                             "history": [{"created": "2023-11-14T22:13:20Z", "created_by": "images.py"}]}).encode()
        manifest = json.dumps({
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": "sha256:" + digest(config), "size": len(config)},
            "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": "sha256:" + digest(tar), "size": len(tar)}]}).encode()
        for blob in (tar, config, manifest):
            blobs["blobs/sha256/" + digest(blob)] = blob
        tag = f"localhost/{name}:latest"
        manifests.append({"Config": "blobs/sha256/" + digest(config), "RepoTags": [tag], "Layers": ["blobs/sha256/" + digest(tar)]})
        index.append({"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": "sha256:" + digest(manifest), "size": len(manifest),
                      "annotations": {"io.containerd.image.name": tag, "org.opencontainers.image.ref.name": "latest"}})
    with open(path, "wb") as file:
        out = Layer()
        out.directories("blobs blobs/sha256")
        for name, blob in blobs.items():
            out.add(name, blob, mode=0o644)
        out.add("oci-layout", '{"imageLayoutVersion":"1.0.0"}', mode=0o644)
        out.add("index.json", json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": index}), mode=0o644)
        out.add("manifest.json", json.dumps(manifests), mode=0o644)
        file.write(out.bytes())


def unpack(layer, directory, shift=lambda number: number):
    with tarfile.open(fileobj=io.BytesIO(layer)) as tar:
        tar.extractall(directory, numeric_owner=True)
    for where, directories, files in os.walk(directory):
        for name in [*directories, *files]:
            path = os.path.join(where, name)
            status = os.lstat(path)
            os.chown(path, shift(status.st_uid), shift(status.st_gid), follow_symlinks=False)
            if not os.path.islink(path):
                os.chmod(path, status.st_mode & 0o7777)
    os.chown(directory, shift(0), shift(0))


archive(TARGET + "/images.tar", [("busybox", busybox(), {"Env": [PATH], "Cmd": ["sh"], "WorkingDir": "/"}),
                                 ("pause", pause(), {"Env": ["PATH=/"], "Entrypoint": ["/catatonit", "-P"], "User": "65534"})])
machine_layer = machine().bytes()
for target in (TARGET + "/machine", ROOT + "/home/tester/machine"):
    shutil.rmtree(target, ignore_errors=True)
unpack(machine_layer, TARGET + "/machine")
unpack(machine_layer, ROOT + "/home/tester/machine", lambda number: 1000 if number == 0 else 100000 + number - 1)
