"""docs/deploy.md names what there is, and its figures that follow from the code are right."""

from __future__ import annotations

import re

from cli import derive
from cli.key import known_scopes
from cli.template_checks import expanded, load
from tests.contract.tree import ROOT
from tools.runtime.build import FOLDER, SHIPPED

DEPLOY = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
TEXT = (ROOT / "template.yaml").read_text(encoding="utf-8")
RUNS_IN_30_DAYS = {
    "rate(1 minute)": 43_200,
    "rate(5 minutes)": 8_640,
    "rate(15 minutes)": 2_880,
    "rate(1 hour)": 720,
    "rate(1 day)": 30,
}


def test_every_parameter_of_the_template_is_told() -> None:
    assert [name for name in load(TEXT)["Parameters"] if name not in DEPLOY] == []
    given = re.findall(r"\b([A-Z]\w+)=(?=tallystick|https)", DEPLOY)
    assert given and set(given) <= load(TEXT)["Parameters"].keys()


def test_the_secret_holds_what_the_template_asks_of_it() -> None:
    asked = set(re.findall(r"SecretString:(\w+)\}\}", TEXT))
    told = re.search(r'for n in \(("[^)]+)\)', DEPLOY)
    assert told is not None and set(re.findall(r'"(\w+)"', told[1])) == asked


def test_every_scope_is_one_that_an_endpoint_knows() -> None:
    scopes = {scope for line in re.findall(r"--scope ([\w: ]+)", DEPLOY) for scope in line.split()}
    assert scopes and scopes <= set(known_scopes())


def test_the_folders_are_those_that_make_lambda_fills() -> None:
    assert f"`{SHIPPED.relative_to(ROOT)}`" in DEPLOY and f"{FOLDER.name}/sam/bin/sam deploy" in DEPLOY


def test_the_counts_are_right() -> None:
    runs = sum(RUNS_IN_30_DAYS[one.schedule] for one in derive.jobs())
    alarms = expanded(load(TEXT)).count("AWS::CloudWatch::Alarm")
    assert f"{runs:,} runs of the jobs" in DEPLOY and f"{alarms} alarms" in DEPLOY
    assert f"{len(derive.endpoints()) + len(derive.jobs())} functions" in DEPLOY
