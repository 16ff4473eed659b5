# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What became of each server, on one screen."""

from __future__ import annotations

DOCUMENTATION = r"""
name: story
type: stdout
short_description: What became of each server, on one screen
version_added: 0.1.0
author:
  - The openrescue authors (@openrescue)
description:
  - Tells for each server what was seen, what was found, what was changed and how it ended, and nothing else. The
    playbooks of this collection take some seventy tasks for that; they are shown with C(-v), as usual.
  - What is red has gone wrong. That a dead server does not answer is no failure, and looks like none.
  - While something takes long, one line says what, for how long already, and for how long at most. On a terminal it is
    rewritten in place; elsewhere it is printed after half a minute, and then ever more seldom.
  - A run that is stopped by Ctrl-C says which servers it has left rescued, and how to go on.
  - Tasks that are not of this collection are told where they change something or fail.
requirements:
  - Set as stdout callback, as with E(ANSIBLE_STDOUT_CALLBACK) or C(stdout_callback) in C(ansible.cfg).
extends_documentation_fragment:
  - default_callback
  - result_format_callback
options:
  story_progress:
    description: Whether a line tells what takes long.
    type: bool
    default: true
    version_added: 0.1.0
    env:
      - name: OPENRESCUE_STORY_PROGRESS
    ini:
      - section: callback_story
        key: progress
"""

EXAMPLES = r"""
# What this does is told in a few lines for each server by
# ANSIBLE_STDOUT_CALLBACK=openrescue.server.story ansible-playbook -i servers.yml my_playbook.yml
- name: See what the console tells
  openrescue.server.console_diagnose:
    server: web1
"""

import atexit
import os
import shlex
import sys
import threading
import time
import typing as t

from ansible import constants, context
from ansible.plugins.callback.default import CallbackModule as Default
from ansible.template import Templar
from ansible_collections.openrescue.server.plugins.module_utils._text import printable
from ansible_collections.openrescue.server.plugins.plugin_utils._story import Doing, Line, Story

COLLECTION = "openrescue.server."
#: A path below it is one of our playbooks or roles.
OURS = "/ansible_collections/openrescue/server/"
COLORS = {
    "good": "COLOR_OK",
    "bad": "COLOR_ERROR",
    "added": "COLOR_DIFF_ADD",
    "removed": "COLOR_DIFF_REMOVE",
    "quiet": "COLOR_VERBOSE",
}
#: Seconds after which something takes long, where no line can be rewritten.
LONG = 30.0


class CallbackModule(Default):
    """Hands the results of modules to the story, and prints its lines."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "openrescue.server.story"

    def __init__(self) -> None:
        super().__init__()
        self._story = Story(command=called(context.CLIARGS, os.getcwd()))
        self._progress: _Progress | None = None
        self._said: dict[str, str] = {}
        self._ended = False
        # Ansible tells its callbacks nothing where somebody presses Ctrl-C.
        atexit.register(self._broken_off, os.getpid())

    # -- the run

    def v2_playbook_on_play_start(self, play: t.Any) -> None:
        self._play = play
        self._story.expect(host.get_name() for host in self._hosts(play))
        if self._progress is None and self.get_option("story_progress"):
            self._progress = _Progress(self._story)
            self._progress.start()
        if self._display.verbosity:
            super().v2_playbook_on_play_start(play)

    def _broken_off(self, process: int) -> None:
        """What is left how. Ansible's workers are copies of this process, and end without a word."""
        if os.getpid() == process and not self._ended:
            if self._progress is not None:
                self._progress.stop()
            self._tell(self._story.broken_off())

    def _limit(self, host: t.Any, task: t.Any, arguments: t.Mapping[str, t.Any]) -> float | None:
        """The seconds that a task of ours may take, where that can be told."""
        given = arguments.get("wait_timeout") or arguments.get("timeout")
        if given is None or self._progress is None or not _is_ours(task):
            return None
        try:
            variables = self._play.get_variable_manager().get_vars(play=self._play, host=host, task=task)
            return float(Templar(self._play.get_loader(), variables=variables).template(given))
        except Exception:  # a line of progress is not worth a run
            return None

    def _hosts(self, play: t.Any) -> list[t.Any]:
        manager = play.get_variable_manager()
        return list(manager._inventory.get_hosts(play.hosts)) if manager and manager._inventory else []

    def v2_playbook_on_task_start(self, task: t.Any, is_conditional: bool) -> None:
        if self._display.verbosity:
            super().v2_playbook_on_task_start(task, is_conditional)

    def v2_playbook_on_include(self, included_file: t.Any) -> None:
        if self._display.verbosity:
            super().v2_playbook_on_include(included_file)

    def v2_runner_on_start(self, host: t.Any, task: t.Any) -> None:
        now, arguments = time.monotonic(), task.args or {}
        self._story.starts(
            host.get_name(), _module(task), now, arguments=arguments, limit=self._limit(host, task, arguments)
        )

    def v2_runner_on_ok(self, result: t.Any) -> None:
        name, task, values = result._host.get_name(), result._task, result._result
        if self._display.verbosity:
            super().v2_runner_on_ok(result)
        now = time.monotonic()
        if not _is_ours(task):
            self._tell(self._story.task(name, _title(task)) if values.get("changed") else [])
            return
        check = bool(task.check_mode)
        self._tell(self._story.ends(name, _module(task), values, now, check=check))
        proof = (values.get("ansible_facts") or {}).get("verify_result")
        self._tell(self._story.proven(name, proof, now) if proof else [])
        self._note(name, values)

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        name, task = result._host.get_name(), result._task
        if self._display.verbosity:
            super().v2_runner_on_failed(result, ignore_errors=ignore_errors)
        if ignore_errors:
            return
        said = str(result._result.get("msg") or "no reason given")
        self._said[name] = said
        if _is_ours(task):
            self._tell(self._story.failed(name, time.monotonic()))
        elif not self._display.verbosity:
            self._tell(self._story.task(name, f"{_title(task)}: {said}", look="bad"))

    def v2_runner_on_unreachable(self, result: t.Any) -> None:
        name = result._host.get_name()
        if self._display.verbosity:
            super().v2_runner_on_unreachable(result)
        self._story.skipped(name)
        # Where it is not expected, a task of ours says so, and the run record.
        self._said[name] = str(result._result.get("msg") or "it did not answer")
        if not _is_ours(result._task) and not self._display.verbosity:
            self._tell(self._story.task(name, f"{_title(result._task)}: {self._said[name]}", look="bad"))

    def v2_runner_on_skipped(self, result: t.Any) -> None:
        self._story.skipped(result._host.get_name())
        if self._display.verbosity:
            super().v2_runner_on_skipped(result)

    def v2_runner_retry(self, result: t.Any) -> None:
        if self._display.verbosity:
            super().v2_runner_retry(result)

    def v2_on_file_diff(self, result: t.Any) -> None:
        if self._display.verbosity or not _is_ours(result._task):
            super().v2_on_file_diff(result)

    def v2_playbook_on_stats(self, stats: t.Any) -> None:
        self._ended = True
        if self._progress is not None:
            self._progress.stop()
        run = (getattr(stats, "custom", None) or {}).get("_run") or {}
        records = (run.get("openrescue") or {}).get("servers") or {}
        self._tell(self._story.summary(records, time.monotonic()))
        for name in sorted(stats.processed):
            counted = stats.summarize(name)
            if name not in records and counted["failures"] + counted["unreachable"]:
                self._tell(self._story.told(name, "failed", self._said.get(name, "no reason given"), look="bad"))
        if self._display.verbosity:
            super().v2_playbook_on_stats(stats)

    # -- lines

    def _note(self, name: str, values: t.Mapping[str, t.Any]) -> None:
        """Warnings of our own modules; Ansible itself would show each as a paragraph, without the server."""
        if not self._display.verbosity:
            for warning in values.get("warnings") or []:
                self._tell(self._story.told(name, "note", str(getattr(warning, "msg", warning)), look="quiet"))

    def _tell(self, lines: t.Sequence[Line]) -> None:
        if not lines:
            return
        if self._progress is not None:
            self._progress.clear()
        for line in lines:
            color = getattr(constants, COLORS[line.look]) if line.look else None
            self._display.display(line.text, color=color)


class _Progress(threading.Thread):
    """Says what takes long, past the Display: a lock that is held here is held in each process that is forked then."""

    def __init__(self, story: Story) -> None:
        super().__init__(daemon=True, name="openrescue-story")
        self._story = story
        self._over = threading.Event()
        self._terminal = sys.stdout.isatty()
        self._shown = False
        self._told: dict[tuple[str, str, str], float] = {}

    def run(self) -> None:
        while not self._over.wait(1.0):
            try:
                self._say(self._story.doing(), time.monotonic())
            except (OSError, RuntimeError):
                continue  # the terminal is gone, or the story went on meanwhile

    def stop(self) -> None:
        self._over.set()
        self.clear()

    def clear(self) -> None:
        """Take the line back that is there, if one is."""
        if self._shown:
            self._shown = False
            _write("\r\033[K")

    def _say(self, doing: t.Sequence[Doing], now: float) -> None:
        if self._terminal and doing:
            first = doing[0]
            others = f", and {len(doing) - 1} more" if len(doing) > 1 else ""
            columns = max(20, os.get_terminal_size(sys.stdout.fileno()).columns)
            self._shown = True
            _write(f"\r\033[K{printable(f'{first.name}  {first.step}  {first.told(now)}{others}', limit=columns - 1)}")
        for item in () if self._terminal else doing:
            key = (item.name, item.step, item.what)
            if now - item.since >= self._told.get(key, LONG):
                self._told[key] = (now - item.since) * 2
                _write(f"{self._story.told(item.name, item.step, item.told(now))[0].text}\n")


def _write(text: str) -> None:
    os.write(sys.stdout.fileno(), text.encode("utf-8", "replace"))


def called(arguments: t.Mapping[str, t.Any], directory: str) -> str:
    """How ansible-playbook was called, as far as that says which servers there are, for the commands that go on."""
    words = ["ansible-playbook"]
    for source in arguments.get("inventory") or ():
        near = os.path.relpath(source, directory) if os.path.isabs(source) and "," not in source else source
        words += ["-i", source if near.startswith("..") else near]
    return shlex.join(words)


def _is_ours(task: t.Any) -> bool:
    return OURS in str(task.get_path() or "")


def _title(task: t.Any) -> str:
    """As its author calls it, without the role that has included it."""
    return str(task.name or task.action)


def _module(task: t.Any) -> str:
    """The module's name without its collection, where it is one of ours or of ansible-core."""
    action = str(task.action)
    return action.removeprefix(COLLECTION).removeprefix("ansible.builtin.").removeprefix("ansible.legacy.")
