"""The processes of a node: each role alone, or all of them under one that watches.

A role runs until SIGINT or SIGTERM, finishes what it has in hand and exits with 0. Killed at any
moment, it goes on from its files when it is started again.
"""

from __future__ import annotations

import argparse
import importlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event, Thread
from types import FrameType
from typing import Final, cast

from novate.l1.rpc import L1Error
from novate.node.config import Config, read_config
from novate.node.files import DamagedFile
from novate.node.segment import LogError
from novate.node.settings import ConfigError
from novate.node.venue_roles import IDLE_S, say

STARTS_MAX: Final = 5
"""Starts of one role within `STARTS_WINDOW_S` before the watcher gives up."""
STARTS_WINDOW_S: Final = 60.0
STOP_S: Final = 20.0
"""How long a role may take to stop before it is killed."""
BAD_CONFIG: Final = 2


ROLES: Final = {
    "sequencer": ("venue_roles", "run_sequencer"),
    "batcher": ("venue_roles", "run_batcher"),
    "oracle": ("venue_roles", "run_oracle"),
    "inbox": ("l1_roles", "run_inbox"),
    "submitter": ("l1_roles", "run_submitter"),
}
"""Where each role is; imported when it runs, for what speaks to L1 takes longest to load."""


def role_of(name: str) -> Callable[[Config, Event], None]:
    """What runs a role until it is told to stop."""
    module, function = ROLES[name]
    found = getattr(importlib.import_module(f"novate.node.{module}"), function)
    return cast(Callable[[Config, Event], None], found)


def roles_of(config: Config) -> list[str]:
    """The roles a configuration has something to do for."""
    roles = ["sequencer", "batcher"]
    if config.oracle is not None:
        roles.append("oracle")
    if config.l1 is not None:
        roles += ["inbox", "submitter"]
    return roles


class Watcher:
    """Runs every role in a process of its own and starts again what dies."""

    def __init__(self, path: Path, roles: Sequence[str]) -> None:
        """Nothing runs yet."""
        self._path = path
        self._roles = list(roles)
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._starts: dict[str, list[float]] = {role: [] for role in roles}

    def run(self, stop: Event) -> int:
        """Run until stopped: 0. 1 if a role would not stay up, 2 if its configuration is bad."""
        code = 0
        try:
            while not stop.is_set() and code == 0:
                for role in self._roles:
                    code = code or self._keep_up(role)
                stop.wait(IDLE_S)
        finally:
            self._stop_all()
        return code

    def _keep_up(self, role: str) -> int:
        """Start a role if it does not run; the exit code if it must not be started again."""
        process = self._running.get(role)
        if process is not None:
            code = process.poll()
            if code is None:
                return 0
            say("node", f"{role} ended with {code}")
            if code == BAD_CONFIG:
                return BAD_CONFIG
        now = time.monotonic()
        starts = [at for at in self._starts[role] if now - at < STARTS_WINDOW_S]
        if len(starts) >= STARTS_MAX:
            say("node", f"{role} was started {len(starts)} times in {STARTS_WINDOW_S:.0f} s")
            return 1
        self._starts[role] = [*starts, now]
        command = [sys.executable, "-m", "novate.cli", "node", role, "--config", str(self._path)]
        self._running[role] = subprocess.Popen([*command, "--watched"], stdin=subprocess.PIPE)
        return 0

    def _stop_all(self) -> None:
        """Stop roles in the order of the data; kill what does not."""
        for role in ("oracle", "inbox", "sequencer", "batcher", "submitter"):
            process = self._running.get(role)
            if process is None or process.poll() is not None:
                continue
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                say("node", f"{role} did not stop in {STOP_S:.0f} s: killed")
                process.kill()
                process.wait()


def stop_with_input(stop: Event) -> None:
    """Stop when standard input ends: whoever watched this process is gone."""
    while os.read(sys.stdin.fileno(), 1):
        pass
    stop.set()


def main(argv: Sequence[str]) -> int:
    """Run one role or all: 0 after a clean stop, 1 if something failed, 2 if misconfigured."""
    parser = argparse.ArgumentParser(prog="novate node", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("role", nargs="?", choices=[*ROLES], help="one process; default: all")
    parser.add_argument("--config", type=Path, required=True, help="TOML file")
    parser.add_argument("--watched", action="store_true", help="stop when standard input ends")
    arguments = parser.parse_args(argv)
    stop = Event()

    def handle(number: int, frame: FrameType | None) -> None:
        """Asked to stop."""
        stop.set()

    signal.signal(signal.SIGTERM, handle)
    signal.signal(signal.SIGINT, handle)
    if arguments.watched:
        Thread(target=stop_with_input, args=[stop], daemon=True).start()
    role = arguments.role or "node"
    try:
        config = read_config(arguments.config)
        if arguments.role is None:
            return Watcher(arguments.config, roles_of(config)).run(stop)
        role_of(arguments.role)(config, stop)
    except ConfigError as error:
        say(role, f"{error}")
        return BAD_CONFIG
    except (LogError, DamagedFile, L1Error, OSError) as error:
        say(role, f"{type(error).__name__}: {error}")
        return 1
    return 0
