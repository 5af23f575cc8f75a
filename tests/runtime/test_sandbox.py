"""A sandbox: Lambda's own runtime client with a function written on the spot."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

import pytest

from tools.runtime.sandbox import Sandbox, SandboxError

Make = Callable[..., Sandbox]


def test_a_function_starts_and_answers_again_and_again(sandbox: Make) -> None:
    box = sandbox(
        "count = 0\ndef handler(event, context):\n    global count\n    count += 1\n    return [event, count]"
    )
    assert 0 < box.start() < 60
    assert [box.invoke({"n": 1}).value, box.invoke("two").value] == [[{"n": 1}, 1], ["two", 2]]
    assert box.peak_bytes() > 1_000_000


def test_it_is_given_what_lambda_gives_and_nothing_of_this_process(sandbox: Make) -> None:
    os.environ["SECRET_OF_THE_TESTS"] = "hunter2"
    try:
        box = sandbox(
            "import os\ndef handler(event, context):\n    return [dict(os.environ), os.getcwd(), context.function_name,"
            " context.get_remaining_time_in_millis()]",
            environment={"STAGE": "production"},
        )
        box.start()
    finally:
        del os.environ["SECRET_OF_THE_TESTS"]
    variables, folder, name, left = box.invoke(None).value
    assert variables["STAGE"] == "production" and "SECRET_OF_THE_TESTS" not in variables
    assert (folder, variables["LAMBDA_TASK_ROOT"], name) == (folder, folder, "function")
    assert variables["AWS_EXECUTION_ENV"] == "AWS_Lambda_python3.13" and 0 < left <= 5_000


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("raise ValueError('SECRET_KEY is missing')", "ValueError"),
        ("def other(): ...", "handler"),
        ("import os\nos._exit(3)", "ended with code 3"),
    ],
)
def test_a_function_that_does_not_start_says_why(sandbox: Make, source: str, told: str) -> None:
    with pytest.raises(SandboxError, match=told) as failed:
        sandbox(source).start()
    assert "function" in str(failed.value)


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("def handler(event, context):\n    raise ValueError('no such order')", "ValueError no such order"),
        ("import time\ndef handler(event, context):\n    print('slow'); time.sleep(60)", "did not answer within 1 s"),
        ("import os\ndef handler(event, context):\n    os._exit(4)", "ended with code 4"),
    ],
)
def test_a_function_that_does_not_answer_says_why(sandbox: Make, source: str, told: str) -> None:
    box = sandbox(source, seconds=1)
    box.start()
    with pytest.raises(SandboxError, match=told):
        box.invoke({})


def test_a_frozen_function_answers_when_it_is_thawed(sandbox: Make) -> None:
    box = sandbox("def handler(event, context):\n    return event")
    box.start()
    box.freeze()
    answers: list[object] = []
    asking = threading.Thread(target=lambda: answers.append(box.invoke("late").value))
    asking.start()
    asking.join(0.5)
    assert answers == []
    box.thaw()
    asking.join(30)
    assert answers == ["late"]
