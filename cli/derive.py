"""What is derived from the endpoints and jobs: the template's part, openapi.json, requirements.txt, reference pages.

Every text is a function of the code alone, so that a difference between it and the file means drift.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import tomllib
from pathlib import Path
from typing import Any, Final

import functions
from api.endpoint import REGISTRY, Endpoint
from api.job import JOBS, Job
from api.openapi import document
from cli import access_page, reference, schema_page

ROOT: Final = Path(__file__).resolve().parent.parent
BEGIN: Final = "  # BEGIN GENERATED\n"
END: Final = "  # END GENERATED\n"
RESERVED: Final = (
    "      ReservedConcurrentExecutions: !If [CheckoutsAreReserved, !Ref CheckoutsAtOnce, !Ref AWS::NoValue]\n"
)
JOB_SECONDS: Final = 60
"""Time-out of a job's function: its own limit (api.job.SECONDS_MAX) and room for a cold start."""


def modules() -> list[str]:
    """The modules under functions/, one a function."""
    return [one.name for one in pkgutil.walk_packages(functions.__path__, "functions.") if not one.ispkg]


def load() -> None:
    """Import every function, which declares its endpoint or job."""
    for name in modules():
        importlib.import_module(name)


def endpoints() -> list[Endpoint]:
    """Every endpoint under functions/, by path and method."""
    load()
    # Tests declare endpoints of their own in the same registry.
    found = [one for one in REGISTRY.values() if one.module.startswith("functions.")]
    return sorted(found, key=lambda one: (one.path, one.method))


def jobs() -> list[Job]:
    """Every job under functions/, by name."""
    load()
    return sorted((one for one in JOBS.values() if one.module.startswith("functions.")), key=lambda one: one.name)


def project() -> dict[str, Any]:
    """The [project] table of pyproject.toml."""
    found: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return found


def derived() -> dict[str, str]:
    """Each derived file, relative to the root, and its text."""
    found, scheduled = endpoints(), jobs()
    template = (ROOT / "template.yaml").read_text(encoding="utf-8")
    return {
        "template.yaml": with_region(template, region(found, scheduled)),
        "openapi.json": openapi_text(found),
        "requirements.txt": requirements_text(project()),
        ".env.example": reference.env_example(),
        "docs/reference/access.md": access_page.access_page(found),
        "docs/reference/configuration.md": reference.configuration_page(),
        "docs/reference/endpoints.md": reference.endpoints_page(found, scheduled),
        "docs/reference/errors.md": reference.errors_page(found),
        "docs/reference/schema.md": schema_page.page(),
    }


def drifted() -> dict[str, str]:
    """The derived files that are missing or otherwise, and what should stand in them."""
    found = {}
    for name, text in derived().items():
        path = ROOT / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            found[name] = text
    return found


def openapi_text(found: list[Endpoint]) -> str:
    return json.dumps(document(found, project()["version"]), ensure_ascii=False, indent=1) + "\n"


def requirements_text(table: dict[str, Any]) -> str:
    """What `sam build` installs beside the functions: no engine that is embedded, because a function has no disk."""
    head = (
        "# What a function needs in production, for `sam build`; derived by `tally routes --write`.\n"
        "# In the versions that the tests pass with.\n"
        "-c constraints.txt\n"
    )
    return head + "".join(f"{one}\n" for one in sorted(table["dependencies"]))


def with_region(template: str, made: str) -> str:
    """The template with `made` between its marks. Raises ValueError if a mark is missing or stands twice."""
    if template.count(BEGIN) != 1 or template.count(END) != 1 or template.index(BEGIN) > template.index(END):
        raise ValueError(
            f"template.yaml: {BEGIN.strip()!r} and {END.strip()!r} must stand there once each, in this order"
        )
    before, _, rest = template.partition(BEGIN)
    return before + BEGIN + made + END + rest.partition(END)[2]


def region(found: list[Endpoint], scheduled: list[Job]) -> str:
    """The functions of the template, as YAML."""
    parts = []
    for one in found:
        kind = "Read" if one.method == "GET" else "Write"
        parts.append(
            _function(one.name, one.module, kind)
            + (RESERVED if one.name == "checkout" else "")
            + "      Events:\n"
            + "        Route:\n"
            + "          Type: HttpApi\n"
            + f'          Properties: {{ ApiId: !Ref Api, Method: {one.method}, Path: "{one.path}" }}\n'
        )
    for scheduled_one in scheduled:
        parts.append(
            _function(scheduled_one.name, scheduled_one.module, "Job")
            + f"      Timeout: {JOB_SECONDS}\n"
            + "      Events:\n"
            + "        Due:\n"
            + "          Type: Schedule\n"
            + f'          Properties: {{ Schedule: "{scheduled_one.schedule}" }}\n'
            + _job_alarm(scheduled_one.name)
        )
    return "".join(parts)


def logical_id(name: str) -> str:
    """`cancel_order` as the template has it: `CancelOrder`."""
    return "".join(part.title() for part in name.split("_"))


def _function(name: str, module: str, kind: str) -> str:
    return (
        f"  {logical_id(name)}:\n"
        "    Type: AWS::Serverless::Function\n"
        "    Properties:\n"
        f"      Handler: {module}.handler\n"
        f"      Role: !GetAtt {kind}Role.Arn\n"
        f"      LoggingConfig: {{ LogGroup: !Ref {kind}Logs }}\n"
    )


def _job_alarm(name: str) -> str:
    """Lambda's own Errors, because a run that was killed or never began counts nothing itself.

    Lambda repeats a run that failed, twice and within minutes: one that fails for good is seen twice in some period.
    """
    told = '!If [HasAlarmTopic, [!Ref AlarmTopicArn], !Ref "AWS::NoValue"]'
    return (
        f"  {logical_id(name)}Failed:\n"
        "    Type: AWS::CloudWatch::Alarm\n"
        "    Properties:\n"
        f'      AlarmDescription: "The job {name} fails again and again. In JobLogs the error follows its line with '
        'status 500; what is due stays due, so nothing is lost once it runs (docs/observability.md)."\n'
        "      Namespace: AWS/Lambda\n"
        "      MetricName: Errors\n"
        f"      Dimensions: [{{ Name: FunctionName, Value: !Ref {logical_id(name)} }}]\n"
        "      Statistic: Sum\n"
        "      Period: 900\n"
        "      EvaluationPeriods: 1\n"
        "      Threshold: 2\n"
        "      ComparisonOperator: GreaterThanOrEqualToThreshold\n"
        "      TreatMissingData: notBreaching\n"
        f"      AlarmActions: {told}\n"
        f"      OKActions: {told}\n"
    )
