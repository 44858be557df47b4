#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""CRI of containerd, one process for all calls, as each start of Python with gRPC is felt under an emulator.
   RT and CG choose the handler: NAME, or NAME-cgroupfs."""
import base64
import json
import os
import re
import socket
import struct
import sys
import time
import traceback
import urllib.parse

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

RT, CG = os.environ["RT"], os.environ["CG"]
HANDLER = RT if CG == "systemd" else RT + "-cgroupfs"
IMAGE = "localhost/busybox:latest"
LOGS = "/tmp/cri-logs"
POOL = descriptor_pool.DescriptorPool()
with open("/usr/local/lib/davit-vm/cri.descriptors", "rb") as descriptors:
    for described in descriptor_pb2.FileDescriptorSet.FromString(descriptors.read()).file:
        POOL.Add(described)
CHANNEL = grpc.insecure_channel("unix:///run/containerd/containerd.sock", options=[("grpc.default_authority", "localhost")])


def type_of(descriptor):
    if hasattr(message_factory, "GetMessageClass"):
        return message_factory.GetMessageClass(descriptor)
    return message_factory.MessageFactory(POOL).GetPrototype(descriptor)


def call(name, request):
    method = POOL.FindServiceByName("runtime.v1.RuntimeService").methods_by_name[name]
    request_type, answer_type = type_of(method.input_type), type_of(method.output_type)
    invoke = CHANNEL.unary_unary("/runtime.v1.RuntimeService/" + name, request_serializer=request_type.SerializeToString,
                                 response_deserializer=answer_type.FromString)
    answer = invoke(json_format.ParseDict(request, request_type()), timeout=600)
    return json.loads(json_format.MessageToJson(answer, preserving_proto_field_name=True))


def check(condition, *what):
    if not condition:
        raise AssertionError(" ".join(str(word) for word in what))


def becomes(condition, seconds=300):
    end = time.time() + seconds
    while not condition():
        check(time.time() < end, "did not come true in time")
        time.sleep(0.2)


class Pod:
    def __init__(self, name, **security):
        self.config = {
            "metadata": {"name": name, "namespace": "default", "uid": name, "attempt": 0}, "hostname": name, "log_directory": LOGS,
            "linux": {"cgroup_parent": "vmpods.slice" if CG == "systemd" else "/vmpods", "sysctls": {"net.ipv4.ip_forward": "1"},
                      "security_context": {"namespace_options": {"pid": 1, **security}, "seccomp": {"profile_type": 0}}}}
        self.id = call("RunPodSandbox", {"runtime_handler": HANDLER, "config": self.config})["pod_sandbox_id"]

    def container(self, name, script, tty=False, **linux):
        context = {"seccomp": {"profile_type": 0}, "apparmor": {"profile_type": 0}, **linux.pop("security", {})}
        config = {"metadata": {"name": name}, "image": {"image": IMAGE}, "command": ["sh", "-c", script] if script else ["sh"], "log_path": name + ".log",
                  "envs": [{"key": "A", "value": "b"}], "mounts": [{"container_path": "/m", "host_path": "/out", "readonly": True}],
                  "tty": tty, "stdin": tty, "linux": {**linux, "security_context": context}}
        made = call("CreateContainer", {"pod_sandbox_id": self.id, "config": config, "sandbox_config": self.config})["container_id"]
        call("StartContainer", {"container_id": made})
        return made

    def remove(self):
        call("StopPodSandbox", {"pod_sandbox_id": self.id})
        call("RemovePodSandbox", {"pod_sandbox_id": self.id})


def run(container, *command):
    answer = call("ExecSync", {"container_id": container, "cmd": list(command), "timeout": 600})
    return base64.b64decode(answer.get("stdout", "")).decode(), answer.get("exit_code", 0)


def inside(container, script):
    return run(container, "sh", "-c", script)[0].strip()


class Stream:
    """exec -it and attach: a WebSocket as kubelet's clients speak it, a channel number before the bytes of each message."""

    def __init__(self, url):
        where = urllib.parse.urlparse(url)
        self.socket = socket.create_connection((where.hostname, where.port), timeout=300)
        self.socket.sendall((f"GET {where.path}?{where.query} HTTP/1.1\r\nHost: {where.netloc}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                             "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
                             "Sec-WebSocket-Protocol: v4.channel.k8s.io\r\n\r\n").encode())
        self.buffer, self.seen, self.status = b"", "", None
        while b"\r\n\r\n" not in self.buffer:
            self.more()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        check(b" 101 " in head, head)

    def more(self):
        chunk = self.socket.recv(4096)
        check(chunk, "the stream ended")
        self.buffer += chunk

    def send(self, channel, data):
        payload = bytes([channel]) + data
        check(len(payload) < 126, "long messages are not needed here")
        self.socket.sendall(bytes([0x82, 0x80 | len(payload), 0, 0, 0, 0]) + payload)

    def message(self):
        while len(self.buffer) < 2:
            self.more()
        length, start = self.buffer[1] & 127, 2
        if length == 126:
            while len(self.buffer) < 4:
                self.more()
            length, start = struct.unpack(">H", self.buffer[2:4])[0], 4
        while len(self.buffer) < start + length:
            self.more()
        operation, payload = self.buffer[0] & 15, self.buffer[start:start + length]
        self.buffer = self.buffer[start + length:]
        if operation in (1, 2) and payload:
            if payload[0] in (1, 2):
                self.seen += payload[1:].decode(errors="replace")
            elif payload[0] == 3:
                self.status = payload[1:].decode()
        return operation

    def expect(self, text):
        while text not in self.seen:
            try:
                check(self.message() != 8, "closed")
            except (AssertionError, OSError) as error:
                raise AssertionError(f"did not see {text!r} but {self.seen!r}: {error}") from None
        self.seen = self.seen.split(text, 1)[1]

    def close(self):
        self.socket.close()


state = {}


UNIFIED = os.path.exists("/sys/fs/cgroup/cgroup.controllers")


def cgroup(container):
    info = json.loads(call("ContainerStatus", {"container_id": container, "verbose": True})["info"]["info"])
    with open(f"/proc/{info['pid']}/cgroup") as file:
        path = re.search("^0::(.*)$" if UNIFIED else "^[0-9]+:memory:(.*)$", file.read(), re.M).group(1)
    return ("/sys/fs/cgroup" if UNIFIED else "/sys/fs/cgroup/memory") + path.removesuffix("/container")


def limit(where, name):
    """In the words of cgroup v2."""
    if UNIFIED:
        return content(f"{where}/{name}")
    if name == "cpu.max":
        where = where.replace("memory", "cpu", 1)
        return content(where + "/cpu.cfs_quota_us") + " " + content(where + "/cpu.cfs_period_us")
    return content(where + "/memory.limit_in_bytes")


def content(path):
    with open(path) as file:
        return file.read().strip()


def do_cri_sandbox():
    state["pod"] = Pod("one")
    answer = call("PodSandboxStatus", {"pod_sandbox_id": state["pod"].id})
    check(answer["status"].get("state", "SANDBOX_READY") == "SANDBOX_READY", answer)


def do_cri_container():
    state["main"] = state["pod"].container(
        "main", "trap '' TERM; echo started; echo error >&2; sleep 1000",
        resources={"cpu_period": 100000, "cpu_quota": 50000, "cpu_shares": 512, "memory_limit_in_bytes": 67108864, "oom_score_adj": 500,
                   **({"unified": {"memory.high": "62914560"}} if UNIFIED else {})},
        security={"capabilities": {"add_capabilities": ["NET_ADMIN"], "drop_capabilities": ["MKNOD"]}, "no_new_privs": True,
                  "run_as_user": {"value": "1000"}, "supplemental_groups": ["2000"], "readonly_rootfs": True})
    where = cgroup(state["main"])
    check("vmpods" in where and ("cri-containerd-" in where) == (CG == "systemd"), where)
    expected = {"memory.max": "67108864", "cpu.max": "50000 100000", **({"memory.high": "62914560"} if UNIFIED else {})}
    for name, value in expected.items():
        check(limit(where, name) == value, name, limit(where, name), "expected", value)


def do_cri_exec():
    seen = inside(state["main"], "id -u; id -G; echo $A; cat /proc/self/attr/current; sed -n 's/^NoNewPrivs:\t//p;s/^Seccomp:\t//p' /proc/self/status;"
                                 "hostname; touch /x 2>/dev/null || echo ro; cat /proc/sys/net/ipv4/ip_forward; cat /proc/self/oom_score_adj")
    words = seen.split("\n")
    check(words[0] == "1000" and "2000" in words[1].split() and words[2] == "b", seen)
    check(words[3].startswith("cri-containerd.apparmor.d") and words[4:] == ["1", "2", "one", "ro", "1", "500"], seen)
    check(run(state["main"], "sh", "-c", "exit 9")[1] == 9, "exit status 9 expected")


def do_cri_exec_terminal():
    answer = call("Exec", {"container_id": state["main"], "cmd": ["sh"], "tty": True, "stdin": True, "stdout": True})
    stream = Stream(answer["url"])
    stream.expect("$ ")
    stream.send(4, b'{"Width":77,"Height":33}')
    time.sleep(1)
    stream.send(0, b"stty size\n")
    stream.expect("33 77")
    stream.send(0, b"printf 'a\\nb'; exit 3\n")
    stream.expect("a\r\nb")
    while stream.status is None:
        stream.message()
    check('"3"' in stream.status, stream.status)
    stream.close()


def do_cri_attach():
    container = state["pod"].container("attached", None, tty=True)
    stream = Stream(call("Attach", {"container_id": container, "tty": True, "stdin": True, "stdout": True})["url"])
    stream.send(0, b"echo $((6 * 7))\n")
    stream.expect("42")
    stream.close()
    call("StopContainer", {"container_id": container, "timeout": 1})
    call("RemoveContainer", {"container_id": container})


def do_cri_logs():
    becomes(lambda: "stderr F error" in content(LOGS + "/main.log"))
    check("stdout F started" in content(LOGS + "/main.log"), content(LOGS + "/main.log"))


def do_cri_update():
    call("UpdateContainerResources", {"container_id": state["main"], "linux": {"memory_limit_in_bytes": 83886080, "cpu_quota": 25000, "cpu_period": 100000}})
    where = cgroup(state["main"])
    check(limit(where, "memory.max") == "83886080" and limit(where, "cpu.max") == "25000 100000", where)


def do_cri_stats():
    answer = call("ContainerStats", {"container_id": state["main"]})["stats"]
    check(int(answer["memory"]["working_set_bytes"]["value"]) > 0 and int(answer["cpu"]["usage_core_nano_seconds"]["value"]) > 0, answer)


def do_cri_two_pods():
    other = Pod("two")
    second = other.container("second", "sleep 1000")
    check(inside(second, "hostname") == "two" and inside(state["main"], "hostname") == "one", "hostnames")
    other.remove()
    check(inside(state["main"], "echo here") == "here", "the other pod is gone too")


def do_cri_user_namespace():
    mapping = [{"host_id": 700000, "container_id": 0, "length": 65536}]
    options = {"mode": 0, "uids": mapping, "gids": mapping}
    try:
        pod = Pod("mapped", userns_options=options)
    except grpc.RpcError as error:
        if "not supported" in error.details() or "user namespaces" in error.details():
            raise Skip(error.details()) from None
        raise
    container = pod.container("mapped", "sleep 1000", security={"namespace_options": {"pid": 1, "userns_options": options}})
    mapped = inside(container, "cat /proc/self/uid_map").split()
    owner = inside(container, "stat -c %u /bin/busybox")
    pod.remove()
    if mapped == ["0", "0", "4294967295"]:
        raise Skip("this containerd does not ask the runtime for a user namespace")
    check(mapped == ["0", "700000", "65536"], mapped)
    check(owner == "0", "owner of the image's files")


def do_cri_stop_remove():
    begin = time.time()
    call("StopContainer", {"container_id": state["main"], "timeout": 1})
    answer = call("ContainerStatus", {"container_id": state["main"]})["status"]
    check(answer["state"] == "CONTAINER_EXITED" and answer["exit_code"] == 137, answer, time.time() - begin)
    call("RemoveContainer", {"container_id": state["main"]})
    state["pod"].remove()
    check(not call("ListContainers", {}).get("containers") and not call("ListPodSandbox", {}).get("items"), "something is left")


class Skip(Exception):
    pass


def main():
    os.makedirs(LOGS, exist_ok=True)
    for name in ("sandbox", "container", "exec", "exec_terminal", "attach", "logs", "update", "stats", "two_pods", "user_namespace", "stop_remove"):
        begin, verdict, detail = time.time(), "ok", ""
        try:
            globals()["do_cri_" + name]()
        except Skip as reason:
            verdict, detail = "skip", str(reason)
        except grpc.RpcError as error:
            verdict, detail = "FAIL", f"{error.code()}: {error.details()}"
        except Exception:
            verdict, detail = "FAIL", traceback.format_exc(limit=-2)
        print("@", "containerd", CG, RT, "cri_" + name, verdict, f"{time.time() - begin:.1f}", detail.replace("\n", "|")[-600:], flush=True)


main()
