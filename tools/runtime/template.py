"""The functions that a template declares, with the environment that they get in the cloud."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from cli.template_checks import functions_of, load
from tools.runtime.sandbox import Function

PSEUDO: Final = {"AWS::StackName": "tallystick"}
"""What CloudFormation knows by itself."""
_SECRET: Final = re.compile(r"\{\{resolve:secretsmanager:[^:]+:SecretString:(\w+)\}\}")


def functions(text: str, secrets: Mapping[str, str], parameters: Mapping[str, str]) -> dict[str, Function]:
    """Each function of the template by the name of its handler's file.

    `secrets` is what the secret holds, `parameters` what is given at the deployment; what is left out has the
    template's default. Raises KeyError for what has neither.
    """
    template = load(text)
    common = template["Globals"]["Function"]
    given = (
        PSEUDO
        | {name: one["Default"] for name, one in template["Parameters"].items() if "Default" in one}
        | {**parameters}
    )
    found = {}
    for resource in functions_of(template).values():
        properties = {**common, **resource["Properties"]}
        variables = {
            **common.get("Environment", {}).get("Variables", {}),
            **resource["Properties"].get("Environment", {}).get("Variables", {}),
        }
        handler = properties["Handler"]
        name = handler.split(".")[-2]
        found[name] = Function(
            name=name,
            handler=handler,
            runtime=properties["Runtime"],
            seconds=properties["Timeout"],
            megabytes=properties["MemorySize"],
            environment={key: _value(one, secrets, given) for key, one in variables.items()},
        )
    return found


def _value(told: Any, secrets: Mapping[str, str], given: Mapping[str, Any]) -> str:
    """A variable's text, as CloudFormation resolves it."""
    if isinstance(told, dict) and "Ref" in told:
        return str(given[told["Ref"]])
    text = told["Fn::Sub"] if isinstance(told, dict) else str(told)
    if secret := _SECRET.fullmatch(text):
        return secrets[secret[1]]
    return re.sub(r"\$\{([\w:]+)\}", lambda name: str(given[name[1]]), text)
