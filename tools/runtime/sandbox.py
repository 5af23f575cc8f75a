"""One process of a function, started, invoked, frozen and thawed as Lambda does it."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

from tools.runtime.api import RuntimeApi, Told

START_SECONDS_MAX: Final = 60.0
"""Lambda gives a function 10 s. A machine that is busy with other tests must not be taken for a function that is slow:
how long a start took is told, and `make lambda` prints it."""
END_SECONDS: Final = 5.0


class SandboxError(RuntimeError):
    """The function did not start, or did not answer; the text says why and ends with its log."""


class Function(NamedTuple):
    """A function of the template. `seconds` is its time-out, `megabytes` its memory."""

    name: str
    handler: str
    runtime: str
    seconds: float
    megabytes: int
    environment: Mapping[str, str]


class Answer(NamedTuple):
    """What the handler returned, and how long after the event was handed out."""

    value: Any
    seconds: float


class Sandbox:
    """`python` runs the runtime client with `artifact` as its task root. To be started once, and stopped."""

    def __init__(self, python: Path, artifact: Path, function: Function, log: Path) -> None:
        self.function, self._log = function, log
        self._api = RuntimeApi()
        self._command = [str(python), "-m", "awslambdaric", function.handler]
        self._artifact = artifact
        self._running: subprocess.Popen[bytes] | None = None

    def start(self) -> float:
        """Start, and wait until it asks for its first event; the seconds that took. Raises SandboxError."""
        began = time.monotonic()
        with self._log.open("ab") as log:
            self._running = subprocess.Popen(
                self._command,
                cwd=self._artifact,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        told = self._heard(START_SECONDS_MAX, "ask for an event")
        if told.kind != "ready":
            raise SandboxError(f"{self.function.name} did not start: {_reason(told)}")
        return told.at - began

    def invoke(self, event: Any) -> Answer:
        """The answer to one event. Raises SandboxError for a handler that failed or was too slow."""
        began = time.monotonic()
        name = self._api.hand_out(event, self.function.name, self.function.seconds)
        told = self._heard(self.function.seconds, "answer")
        if told.kind != "response" or told.invocation != name:
            raise SandboxError(f"{self.function.name} failed: {_reason(told)}{self._end_of_log()}")
        again = self._heard(self.function.seconds, "ask for the next event")
        if again.kind != "ready":
            raise SandboxError(f"{self.function.name} answered twice: {_reason(again)}")
        return Answer(told.value, told.at - began)

    def freeze(self) -> None:
        """Stop it between two invocations, as Lambda does."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def peak_bytes(self) -> int:
        """The most memory that it held at once."""
        assert self._running is not None
        status = Path(f"/proc/{self._running.pid}/status").read_text(encoding="ascii")
        [line] = [line for line in status.splitlines() if line.startswith("VmHWM:")]
        return int(line.split()[1]) * 1024

    def stop(self) -> None:
        """End it; Lambda, too, ends a sandbox without a word."""
        if self._running is not None:
            self._signal(signal.SIGKILL)
            self._running.wait(END_SECONDS)
        self._api.close()

    def log(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    def _environment(self) -> dict[str, str]:
        """What Lambda sets, and the function's own; nothing of this process."""
        function = self.function
        return {
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.runtime}",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.megabytes),
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": "local",
            "AWS_LAMBDA_RUNTIME_API": self._api.address,
            "AWS_REGION": "eu-central-1",
            "LAMBDA_TASK_ROOT": str(self._artifact),
            "LANG": "en_US.UTF-8",
            "PATH": os.defpath,
            "TZ": ":UTC",
            "_HANDLER": function.handler,
            **function.environment,
        }

    def _heard(self, seconds: float, what: str) -> Told:
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            with suppress(queue.Empty):
                return self._api.told.get(timeout=min(left, 0.2))
            if self._running is not None and self._running.poll() is not None:
                # What it said before it ended may have come in meanwhile.
                with suppress(queue.Empty):
                    return self._api.told.get(timeout=0.2)
                code = self._running.returncode
                raise SandboxError(f"{self.function.name} ended with code {code}{self._end_of_log()}")
        raise SandboxError(f"{self.function.name} did not {what} within {seconds:g} s{self._end_of_log()}")

    def _end_of_log(self) -> str:
        return f"; its log:\n{self.log()[-2_000:]}"

    def _signal(self, number: signal.Signals) -> None:
        assert self._running is not None
        with suppress(ProcessLookupError):
            os.kill(self._running.pid, number)


def _reason(told: Told) -> str:
    value = told.value if isinstance(told.value, dict) else {}
    return f"{told.kind}: {value.get('errorType', '')} {value.get('errorMessage', told.value)}"
