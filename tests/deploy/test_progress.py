"""A command hears what deployment does in its thread, and nobody else does."""

from __future__ import annotations

import threading

from catalina.deploy.progress import add_note, listening, show_step


def test_the_waiting_command_hears_steps_and_remarks() -> None:
    steps: list[tuple[str, int, int]] = []
    with listening(lambda *step: steps.append(step)) as notes:
        show_step("installing")
        add_note("5 packages")
        other = threading.Thread(target=lambda: add_note("of another application"))
        other.start()
        other.join()
    add_note("too late")
    show_step("too late")
    assert steps == [("installing", 0, 0)]
    assert notes == ["5 packages"]
