"""``hybridmem hook AGENT``, as the agents run it: an event on standard input, the answer on standard output.

It never stands in an agent's way. Agents take an exit code of 2 for a refusal, and what is printed for an answer; so
every fault of ours ends with 0, with nothing printed, and with a line in the log. That holds for options that an older
or newer release does not know as well, which is why the application's parser does not read this command line.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from types import TracebackType

from hybridmem.coding_agents import state_folder

MOST = 32 * 2**20
"""Bytes of an event that are read."""


def run(words: Sequence[str]) -> None:
    """Answer one event; `words` are the agent's name and the options. Whatever goes wrong ends the process with 0."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    sys.excepthook = _into_the_log(words)
    with redirect_stdout(sys.stderr):  # what a library prints is no answer
        from hybridmem.coding_agents.hook import answered
        from hybridmem.coding_agents.hook_settings import HookSettings
        from hybridmem.coding_agents.registry import agent_named

        agent, settings = agent_named(next(iter(words), "")), HookSettings.of(words[1:])
        answer = answered(agent, sys.stdin.buffer.read(MOST), settings, os.environ)
    if answer.text:
        sys.stdout.write(f"{answer.text}\n")
        sys.stdout.flush()
    if answer.sessions_over:
        from hybridmem.coding_agents import learning

        learning.start(settings, state_folder.root(Path.home(), os.environ) / state_folder.LOG)


def _into_the_log(
    words: Sequence[str],
) -> Callable[[type[BaseException], BaseException, TracebackType | None], None]:
    """What takes an error that nobody caught: it leaves a line in the log, and an end that the agent passes over."""

    def take(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        place = f" ({Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno})" if trace is not None else ""
        agent = next(iter(words), "hook")
        state_folder.log(state_folder.root(Path.home(), os.environ), f"{agent}: {kind.__name__}: {error}{place}")
        os._exit(0)

    return take
