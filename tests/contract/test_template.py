"""template.yaml: clean for cfn-lint, and for our own checks of what cfn-lint lets pass. Each check finds its defect."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cli import derive
from cli.alarm_checks import WATCHED
from cli.template_checks import RESOURCES_MAX, TemplateError, expanded, functions_of, load, problems
from tests.contract.tree import ROOT

TEXT = (ROOT / "template.yaml").read_text(encoding="utf-8")


def test_cfn_lint_finds_nothing() -> None:
    ran = subprocess.run(
        [Path(sys.executable).with_name("cfn-lint"), "template.yaml"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stdout) == (0, "")


def test_our_own_checks_find_nothing() -> None:
    assert problems(TEXT, ROOT) == []


def test_every_function_is_in_the_template() -> None:
    handlers = {one["Properties"]["Handler"] for one in functions_of(load(TEXT)).values()}
    assert handlers == {f"{module}.handler" for module in derive.modules()}


def test_the_stack_stays_below_the_limit() -> None:
    made = expanded(load(TEXT))
    functions = len(derive.endpoints()) + len(derive.jobs())
    assert made.count("AWS::Lambda::Function") == functions
    assert made.count("AWS::Lambda::Permission") == functions
    assert made.count("AWS::IAM::Role") == 3
    assert made.count("AWS::Events::Rule") == len(derive.jobs())
    # Besides what we count ourselves and each job, the API's 5xx.
    assert made.count("AWS::CloudWatch::Alarm") == len(WATCHED) + len(derive.jobs()) + 1
    assert len(made) < RESOURCES_MAX


def test_every_alarm_is_told_in_the_documentation() -> None:
    """And in the alarm itself, for whoever is woken by it."""
    text = (ROOT / "docs" / "observability.md").read_text(encoding="utf-8")
    resources = load(TEXT)["Resources"]
    alarms = {name for name, one in resources.items() if one["Type"] == "AWS::CloudWatch::Alarm"}
    jobs = {f"{derive.logical_id(one.name)}Failed" for one in derive.jobs()}
    assert jobs < alarms
    rows = {line.split("`")[1] for line in text.splitlines() if line.startswith("| `") and "Alarm` | " in line[:40]}
    assert rows == alarms - jobs
    assert "| `<Job>Failed` |" in text


def test_nothing_secret_stands_in_the_template() -> None:
    variables = load(TEXT)["Globals"]["Function"]["Environment"]["Variables"]
    for name in ("SECRET_KEY", "DATABASE_TOKEN", "DATABASE_URL"):
        assert variables[name]["Fn::Sub"].startswith("{{resolve:secretsmanager:")


def test_the_artifact_is_what_a_function_is_made_of_and_nothing_else() -> None:
    links = {one.name: one for one in (ROOT / "artifact").iterdir()}
    assert links.keys() == {
        "api",
        "db",
        "domain",
        "functions",
        "providers",
        "constraints.txt",
        "openapi.json",
        "requirements.txt",
    }
    assert {name: one.resolve() for name, one in links.items()} == {name: ROOT / name for name in links}


def test_a_function_is_given_no_embedded_engine() -> None:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    names = [line.partition(">")[0] for line in lines if not line.startswith(("#", "-"))]
    assert names == ["PyJWT", "bcrypt", "httpx", "mangum", "pydantic", "pyotp"]


DEFECTS = {
    "a bad runtime": ("python3.13", "python3.31", "Runtime 'python3.31'"),
    "an unknown processor": ("[arm64]", "[arm46]", "Architectures 'arm46'"),
    "an unknown event property": ("Path: \"/checkout\"", "Paths: \"/checkout\"", "HttpApi has no property Paths"),
    "an unknown event": ("Type: HttpApi", "Type: HttpsApi", "Type 'HttpsApi'"),
    "a reference to a missing API": ("ApiId: !Ref Api,", "ApiId: !Ref Apo,", "refers to Apo, which does not exist"),
    "an API of another kind": ("ApiId: !Ref Api,", "ApiId: !Ref ReadLogs,", "'ReadLogs', which is no HttpApi"),
    "a reference to a missing role": ("!GetAtt WriteRole.Arn\n", "!GetAtt WroteRole.Arn\n", "refers to WroteRole"),
    "a condition that nobody defines": ("!If [Checkouts", "!If [Checkins", "refers to CheckinsAreReserved"),
    "a name missing in a text": ("https://${Api}.", "https://${Apo}.", "refers to Apo"),
    "no artifact": ("    CodeUri: artifact\n", "", "no CodeUri"),
    "a missing artifact": ("CodeUri: artifact", "CodeUri: build/nowhere", "CodeUri 'build/nowhere' does not exist"),
    "a missing handler file": ("functions.checkout.handler", "functions.checkin.handler", "no such file"),
    "a handler that the file lacks": ("functions.checkout.handler", "functions.checkout.main", "the file has no main"),
    "a handler without a file": ("functions.checkout.handler", "handler", "Handler 'handler': no such file"),
    "a bad schedule": ('Schedule: "rate(', 'Schedule: "every(', "is neither rate"),
    "a time-out that outlasts the API": ("Timeout: 20", "Timeout: 31", "Timeout 31"),
    "no role": ("      Role: !GetAtt WriteRole.Arn\n", "", "no Role"),
    "two functions on one route": (
        'Method: POST, Path: "/checkout" }', 'Method: GET, Path: "/health" }', "GET /health is already the route",
    ),
    "a path without its slash": ('Path: "/checkout"', 'Path: "checkout"', "does not begin with /"),
    "a secret in clear text": (
        '!Sub "{{resolve:secretsmanager:${ShopSecret}:SecretString:SECRET_KEY}}"', "hunter2hunter2", "in clear text",
    ),
    "an alarm on a metric that nobody writes": (
        "MetricName: HistoryAttempts", "MetricName: HistoryAttempt", "'HistoryAttempt', which no code writes",
    ),
    "an expression of a metric that nobody writes": (
        "MetricName: DatabaseTrips }", "MetricName: Trips }", "'Trips', which no code writes",
    ),
    "nobody watches what has to be watched": (
        "MetricName: HistoryAttempts", "MetricName: Requests", "no alarm watches HistoryAttempts",
    ),
    "an alarm in a namespace where nobody writes": (
        '&namespace !Sub "Tallystick/${AWS::StackName}"', "&namespace Tallystick", "Namespace 'Tallystick' with Serv",
    ),
    "functions that write into another namespace": (
        'METRICS_NAMESPACE: !Sub "Tallystick/${AWS::StackName}"', "METRICS_NAMESPACE: Shop", "with QueryTimeouts",
    ),
    "a metric of Amazon's that is none": ("MetricName: 5xx", "MetricName: 5XXError", "'AWS/ApiGateway' with 5XXError"),
    "an alarm on a dimension that nobody writes": (
        "MetricName: QueryTimeouts\n",
        "MetricName: QueryTimeouts\n      Dimensions: [{ Name: FunctionName, Value: !Ref Checkout }]\n",
        "none with FunctionName exists",
    ),
    "an alarm on a unit that nobody writes": (
        "MetricName: QueryTimeouts\n", "MetricName: QueryTimeouts\n      Unit: Seconds\n", "so none in Seconds exists",
    ),
    "an alarm on errors of all functions": (
        "      Dimensions: [{ Name: FunctionName, Value: !Ref ExpireCarts }]\n", "", "told by FunctionName alone",
    ),
    "an alarm on the errors of no function": (
        "Value: !Ref ExpireCarts }", "Value: !Ref Api }", "'Api', which is no AWS::Serverless::Function",
    ),
    "an alarm on the errors of a name": (
        "Value: !Ref ExpireCarts }", "Value: ExpireCarts }", "'', which is no AWS::Serverless::Function",
    ),
    "a job that may fail unseen": (
        "Value: !Ref ExpireCarts }", "Value: !Ref Checkout }", "ExpireCarts: no alarm watches whether this job fails",
    ),
    "an alarm that goes off while nothing happens": (
        "TreatMissingData: notBreaching", "TreatMissingData: breaching", "TreatMissingData 'breaching'",
    ),
    "an alarm that says nothing": (
        'AlarmDescription: "The job expire_carts', 'AlarmDescription: "Oh" #', "does not say what to do",
    ),
    "an alarm that tells nobody": ("      AlarmActions: *told\n", "", "no AlarmActions"),
    "an alarm whose end nobody hears of": ("      OKActions: *told\n", "", "no OKActions"),
    "an alarm that looks back too far": (
        "Period: 86400\n      EvaluationPeriods: 1", "Period: 86400\n      EvaluationPeriods: 8", "8 periods of 86400",
    ),
    "an alarm that looks back too far in small steps": (
        "Period: 900\n      EvaluationPeriods: 1", "Period: 900\n      EvaluationPeriods: 97", "97 periods of 900 s",
    ),
    "an alarm of half minutes": ("Period: 300, Stat", "Period: 90, Stat", "3 periods of 90 s"),
}  # fmt: skip


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_planted_defect_is_found(defect: str) -> None:
    before, after, told = DEFECTS[defect]
    assert before in TEXT
    found = problems(TEXT.replace(before, after, 1), ROOT)
    assert any(told in one for one in found), found


def test_too_many_resources_are_found() -> None:
    logs = '  More{}: {{ Type: "AWS::Logs::LogGroup", Properties: {{ RetentionInDays: 7 }} }}\n'
    many = "".join(logs.format(number) for number in range(RESOURCES_MAX))
    assert any(
        "after SAM's expansion" in one for one in problems(TEXT.replace(derive.BEGIN, many + derive.BEGIN), ROOT)
    )


def test_a_resource_that_stands_twice_is_refused() -> None:
    twice = '  ReadLogs: { Type: "AWS::Logs::LogGroup" }\n'
    with pytest.raises(TemplateError, match="ReadLogs stands twice"):
        load(TEXT.replace(derive.BEGIN, twice + derive.BEGIN))
    with pytest.raises(TemplateError, match="not YAML"):
        load("Resources: [")
    with pytest.raises(TemplateError, match="no Resources"):
        load("Description: nothing")
