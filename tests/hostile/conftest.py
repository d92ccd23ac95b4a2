"""Hostile input: the progress line and the table at the end."""

import sys

import hostile_report
import pytest


@pytest.fixture
def progress(request):
    """progress(done, of, what): one line that moves, on a terminal; else a line now and then."""
    capture = request.config.pluginmanager.getplugin("capturemanager")
    steps = set()

    def say(done, of, what):
        step = done * 10 // max(of, 1)
        moving = sys.__stdout__.isatty()
        if not moving and (step in steps or step % 5):
            return
        steps.add(step)
        with capture.global_and_fixture_disabled():
            end = "" if moving and done < of else "\n"
            print(f"\r    {what}: {done} of {of}\033[K" if moving else f"    {what}: {done} of {of}", end=end, flush=True)

    return say


def pytest_terminal_summary(terminalreporter):
    for line in hostile_report.lines():
        terminalreporter.write_line(line)
