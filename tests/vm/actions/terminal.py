#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""terminal.py [--size ROWSxCOLUMNS] -- COMMAND...: a command on a terminal, led by lines on stdin:

  expect TEXT   wait until this has been written after what was expected last; escapes as in Python
  send TEXT
  resize ROWSxCOLUMNS
                and say so again until what is expected next is seen, as a client may show output before it listens for sizes
  detach        by ctrl-p ctrl-q, which engines see only as two reads, so until it is done
  end STATUS    wait for the end
"""
import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time


def resize(terminal, size):
    rows, columns = size.split("x")
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", int(rows), int(columns), 0, 0))


def main():
    words = sys.argv[1:]
    size = "24x80"
    if words[0] == "--size":
        size, words = words[1], words[2:]
    script = [line.rstrip("\n").partition(" ") for line in sys.stdin]
    child, terminal = pty.fork()
    if child == 0:
        # The size must be there before the command asks for it.
        resize(0, size)
        os.execvp(words[1], words[1:])
    seen = b""
    everything = b""
    resized = False

    def read(seconds):
        nonlocal seen, everything
        if not select.select([terminal], [], [], seconds)[0]:
            return True
        try:
            chunk = os.read(terminal, 4096)
        except OSError:
            return False
        seen += chunk
        everything += chunk
        return bool(chunk)

    def fail(why):
        sys.exit(f"{why}; the terminal showed {everything[-600:]!r}")

    for verb, _, text in script:
        data = text.encode().decode("unicode_escape").encode("latin-1")
        if verb == "expect":
            end = time.time() + 300
            while data not in seen:
                if time.time() > end or not read(0.5):
                    fail(f"did not see {data!r}")
                if resized:
                    os.kill(child, signal.SIGWINCH)
            seen = seen.split(data, 1)[1]
            resized = False
        elif verb == "send":
            os.write(terminal, data)
        elif verb == "detach":
            for key in (b"\x10", b"\x11") * 20:
                with contextlib.suppress(OSError):
                    os.write(terminal, key)
                read(1)
                time.sleep(1)
                if os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                    break
        elif verb == "resize":
            resize(terminal, text)
            resized = True
        elif verb == "end":
            # Whoever stays behind after a detachment may keep the terminal open.
            end = time.time() + 300
            while (done := os.waitpid(child, os.WNOHANG))[0] == 0:
                if time.time() > end:
                    fail("did not end")
                read(0.1)
            if os.waitstatus_to_exitcode(done[1]) != int(text):
                fail(f"ended with {os.waitstatus_to_exitcode(done[1])}")


main()
