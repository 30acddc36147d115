"""What is worked out once: also in a child that was forked while another thread was at it."""

from __future__ import annotations

import os
import threading

from inkstream._python.cached_property import cached_property


class Slow:
    def __init__(self) -> None:
        self.begun, self.go_on = threading.Event(), threading.Event()
        self.times = 0

    @cached_property
    def worked_out(self) -> int:
        """Once."""
        self.times += 1
        self.begun.set()
        self.go_on.wait(60)
        return self.times


def test_it_is_worked_out_once_an_object() -> None:
    slow = Slow()
    slow.go_on.set()
    assert [slow.worked_out, slow.worked_out] == [1, 1]
    assert Slow.worked_out.__doc__ == "Once."


def test_a_fork_while_another_thread_is_at_it_leaves_a_child_that_goes_on() -> None:
    slow, other = Slow(), Slow()
    other.go_on.set()
    thread = threading.Thread(target=lambda: slow.worked_out)
    thread.start()
    assert slow.begun.wait(60)
    child = os.fork()
    if child == 0:
        watch = threading.Thread(target=lambda: (threading.Event().wait(20), os._exit(2)))
        watch.start()
        os._exit(0 if other.worked_out == 1 else 3)
    assert os.waitpid(child, 0)[1] == 0
    slow.go_on.set()
    thread.join()
