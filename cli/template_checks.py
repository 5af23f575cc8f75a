"""What cfn-lint and `sam validate` let pass in template.yaml: each check says what is wrong in a sentence.

A bad runtime, an unknown event or event property, a reference to nothing, a handler without its file, a secret in clear
text, two functions on one route, an alarm that cannot go off, and more resources than a stack may hold.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from cli.alarm_checks import alarm_problems

# Comes with cfn-lint; loaded by name because it brings no types of its own.
yaml: Any = import_module("yaml")

RESOURCES_MAX: Final = 400
"""CloudFormation refuses a stack with more than 500; the rest is room for one more issue."""
RUNTIMES: Final = ("python3.11", "python3.12", "python3.13", "python3.14")
ARCHITECTURES: Final = ("arm64", "x86_64")
API_SECONDS_MAX: Final = 30
SECRETS: Final = (
    "SECRET_KEY", "DATABASE_TOKEN", "DATABASE_URL", "SMTP_URL", "GITHUB_CLIENT_SECRET", "GOOGLE_CLIENT_SECRET"
)  # fmt: skip
# Event type: its properties, as the SAM specification lists them.
EVENTS: Final[dict[str, frozenset[str]]] = {
    "HttpApi": frozenset(
        {"ApiId", "Auth", "Method", "Path", "PayloadFormatVersion", "RouteSettings", "TimeoutInMillis"}
    ),
    "Schedule": frozenset(
        {"DeadLetterConfig", "Description", "Enabled", "Input", "Name", "RetryPolicy", "Schedule", "State"}
    ),
}
# What SAM makes of one event, besides the function.
EVENT_RESOURCES: Final = {
    "HttpApi": ("AWS::Lambda::Permission",),
    "Schedule": ("AWS::Events::Rule", "AWS::Lambda::Permission"),
}
_SCHEDULE: Final = re.compile(r"rate\([1-9]\d* (minutes?|hours?|days?)\)|cron\(\S+( \S+){5}\)")
_SUB_NAME: Final = re.compile(r"\$\{([A-Za-z0-9:.]+)\}")

Json = dict[str, Any]


class TemplateError(ValueError):
    """The template cannot be read."""


def load(text: str) -> Json:
    """The template with `!Ref x` as {"Ref": "x"} and `!Name x` as {"Fn::Name": x}. Raises TemplateError."""
    try:
        found = yaml.load(text, Loader=_loader())
    except yaml.YAMLError as error:
        raise TemplateError(f"not YAML: {error}") from error
    if not isinstance(found, dict) or not isinstance(found.get("Resources"), dict):
        raise TemplateError("no Resources")
    return found


def problems(text: str, root: Path) -> list[str]:
    """What is wrong with the template, one sentence each; `root` is the folder that it stands in."""
    template = load(text)
    defaults = template.get("Globals", {}).get("Function", {})
    found = list(_references(template))
    for name, resource in functions_of(template).items():
        properties = {**defaults, **resource.get("Properties", {})}
        found += [f"{name}: {problem}" for problem in _function(properties, root, template)]
    found += _routes(template)
    found += _environment(template)
    found += alarm_problems(template)
    count = len(expanded(template))
    if count >= RESOURCES_MAX:
        found.append(f"{count} resources after SAM's expansion, fewer than {RESOURCES_MAX} wanted")
    return found


def functions_of(template: Json) -> Json:
    return {name: one for name, one in template["Resources"].items() if one.get("Type") == "AWS::Serverless::Function"}


def expanded(template: Json) -> list[str]:
    """The type of each resource that SAM makes of the template."""
    made: list[str] = []
    for one in template["Resources"].values():
        kind, properties = one.get("Type"), one.get("Properties", {})
        if kind == "AWS::Serverless::HttpApi":
            made += ["AWS::ApiGatewayV2::Api", "AWS::ApiGatewayV2::Stage"]
        elif kind == "AWS::Serverless::Function":
            made.append("AWS::Lambda::Function")
            if "Role" not in properties and "Role" not in template.get("Globals", {}).get("Function", {}):
                made.append("AWS::IAM::Role")
            for event in properties.get("Events", {}).values():
                made += EVENT_RESOURCES.get(event.get("Type"), ())
        else:
            made.append(str(kind))
    return made


def _loader() -> Any:
    class Loader(yaml.SafeLoader):  # type: ignore[misc]
        """YAML with CloudFormation's tags; a key written twice is an error, not the last one."""

        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            keys = Counter(one.value for one, _ in node.value if one.tag != "tag:yaml.org,2002:merge")
            if twice := [key for key, count in keys.items() if count > 1]:
                raise yaml.constructor.ConstructorError(None, None, f"{twice[0]} stands twice", node.start_mark)
            return super().construct_mapping(node, deep)

    def tagged(loader: Any, suffix: str, node: Any) -> Json:
        name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
        if isinstance(node, yaml.ScalarNode):
            value = loader.construct_scalar(node)
            return {name: value.split(".", 1) if suffix == "GetAtt" else value}
        if isinstance(node, yaml.SequenceNode):
            return {name: loader.construct_sequence(node, deep=True)}
        return {name: loader.construct_mapping(node, deep=True)}

    Loader.add_multi_constructor("!", tagged)
    return Loader


def _references(template: Json) -> Iterable[str]:
    """References to what does not exist."""
    resources = template["Resources"].keys()
    known = {*resources, *template.get("Parameters", {}), *template.get("Conditions", {})}
    for place, name in _named(template):
        first = name.partition(".")[0]
        if not first.startswith("AWS::") and first not in known:
            yield f"{place}: refers to {first}, which does not exist"


def _named(value: Any, place: str = "") -> Iterable[tuple[str, str]]:
    """Each place and name that Ref, GetAtt, If or Sub mentions."""
    if isinstance(value, list):
        for number, one in enumerate(value):
            yield from _named(one, f"{place}/{number}")
    if not isinstance(value, dict):
        return
    for key, one in value.items():
        if key == "Ref":
            yield place, str(one)
        elif key == "Fn::GetAtt":
            yield place, one[0]
        elif key == "Fn::If":
            yield place, one[0]
            yield from _named(one[1:], f"{place}/{key}")
        elif key == "Fn::Sub":
            text, own = (one, {}) if isinstance(one, str) else (one[0], one[1])
            yield from ((place, name) for name in _SUB_NAME.findall(text) if name not in own)
            yield from _named(own, f"{place}/{key}")
        else:
            yield from _named(one, f"{place}/{key}")


def _function(properties: Json, root: Path, template: Json) -> Iterable[str]:
    if properties.get("Runtime") not in RUNTIMES:
        yield f"Runtime {properties.get('Runtime')!r}, expected one of {', '.join(RUNTIMES)}"
    for one in properties.get("Architectures", []):
        if one not in ARCHITECTURES:
            yield f"Architectures {one!r}, expected one of {', '.join(ARCHITECTURES)}"
    for name in ("Role", "LoggingConfig"):
        if name not in properties:
            yield f"no {name}"
    yield from _artifact(properties, root)
    for name, event in properties.get("Events", {}).items():
        for problem in _event(event, template):
            yield f"event {name}: {problem}"
        seconds = properties.get("Timeout")
        if event.get("Type") == "HttpApi" and not (isinstance(seconds, int) and 0 < seconds < API_SECONDS_MAX):
            yield f"Timeout {seconds!r}, expected less than the {API_SECONDS_MAX} s of the API"


def _artifact(properties: Json, root: Path) -> Iterable[str]:
    code = properties.get("CodeUri")
    if not isinstance(code, str):
        yield "no CodeUri"
        return
    if not (root / code).is_dir():
        yield f"CodeUri {code!r} does not exist"
        return
    module, _, attribute = str(properties.get("Handler", "")).rpartition(".")
    file = (root / code).joinpath(*module.split(".")).with_suffix(".py") if module else root / "missing.py"
    if not module or not file.is_file():
        yield f"Handler {properties.get('Handler')!r}: no such file"
    elif not re.search(
        rf"^{re.escape(attribute)} = |^(async )?def {re.escape(attribute)}\(", file.read_text("utf-8"), re.M
    ):
        yield f"Handler {properties.get('Handler')!r}: the file has no {attribute}"


def _event(event: Json, template: Json) -> Iterable[str]:
    kind, properties = event.get("Type"), event.get("Properties", {})
    if kind not in EVENTS:
        yield f"Type {kind!r}, expected one of {', '.join(EVENTS)}"
        return
    for name in properties:
        if name not in EVENTS[kind]:
            yield f"{kind} has no property {name}"
    if kind == "HttpApi":
        api = properties.get("ApiId", {}).get("Ref") if isinstance(properties.get("ApiId"), dict) else None
        if template["Resources"].get(api, {}).get("Type") != "AWS::Serverless::HttpApi":
            yield f"ApiId refers to {api!r}, which is no HttpApi of this template"
        if not str(properties.get("Path", "")).startswith("/"):
            yield f"Path {properties.get('Path')!r} does not begin with /"
    elif not _SCHEDULE.fullmatch(str(properties.get("Schedule", ""))):
        yield f"Schedule {properties.get('Schedule')!r} is neither rate(…) nor cron(…)"


def _routes(template: Json) -> Iterable[str]:
    taken: dict[tuple[str, str], str] = {}
    for name, one in functions_of(template).items():
        for event in one.get("Properties", {}).get("Events", {}).values():
            if event.get("Type") == "HttpApi":
                properties = event.get("Properties", {})
                # Two paths that differ in a parameter's name alone are one route to the API.
                path = re.sub(r"{\w+}", "{}", str(properties.get("Path")))
                route = (str(properties.get("Method")).upper(), path)
                if route in taken:
                    yield f"{name}: {' '.join(route)} is already the route of {taken[route]}"
                taken[route] = name


def _environment(template: Json) -> Iterable[str]:
    """Secrets in clear text, wherever variables stand."""
    blocks: list[tuple[str, Mapping[str, Any]]] = [("Globals", template.get("Globals", {}).get("Function", {}))]
    blocks += [(name, one.get("Properties", {})) for name, one in functions_of(template).items()]
    for place, block in blocks:
        for name, value in block.get("Environment", {}).get("Variables", {}).items():
            text = value.get("Fn::Sub", value) if isinstance(value, dict) else value
            hidden = isinstance(text, str) and text.startswith(("{{resolve:secretsmanager:", "{{resolve:ssm:"))
            if name in SECRETS and not hidden:
                yield f"{place}: {name} stands in clear text"
