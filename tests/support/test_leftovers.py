"""A leaked descriptor, thread or process is found, and one that ends in time is none."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading

from tests.support.leftovers import Leftovers


def test_what_was_here_before_is_not_left_behind() -> None:
    with socket.socket():
        assert Leftovers().look(0) == []


def test_a_descriptor_that_stays_open_is_named() -> None:
    leftovers = Leftovers()
    descriptor = os.eventfd(0)
    try:
        assert leftovers.look(0) == [f"descriptor {descriptor} of anon_inode:[eventfd]"]
    finally:
        os.close(descriptor)
    assert leftovers.look(0) == []


def test_a_descriptor_whose_number_was_used_before_is_new() -> None:
    first, second = os.pipe()
    leftovers = Leftovers()
    os.close(first)
    again = os.eventfd(0)
    try:
        assert again == first
        assert leftovers.look(0) == [f"descriptor {again} of anon_inode:[eventfd]"]
    finally:
        os.close(again)
        os.close(second)


def test_a_thread_that_goes_on_is_named_and_one_that_ends_gets_the_time() -> None:
    leftovers = Leftovers()
    end = threading.Event()
    thread = threading.Thread(target=end.wait, name="forgotten")
    thread.start()
    assert leftovers.look(0) == ["thread forgotten"]
    threading.Timer(0.01, end.set).start()
    assert leftovers.look() == []


def test_a_process_that_goes_on_is_named_and_one_that_nobody_waits_for() -> None:
    leftovers = Leftovers()
    command = [sys.executable, "-c", "print(); input()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()  # a process that has just begun has no command line yet
        assert leftovers.look(0)[-1] == f"process {process.pid}: {sys.executable} -c print(); input()"
        process.stdin.write(b"end\n")
        process.stdin.close()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert leftovers.look(0)[-1] == f"process {process.pid}: has ended, and nobody has waited for it"
    assert leftovers.look(0) == []


def test_what_is_made_to_last_is_not_left_behind() -> None:
    leftovers = Leftovers()
    with leftovers.lasting():
        sock = socket.socket()
    assert leftovers.look(0) == []
    sock.close()
