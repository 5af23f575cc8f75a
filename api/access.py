"""Roles and permissions: their shapes, and the guard that nobody grants what they do not hold."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from api.call import Call, dumps
from api.shapes import Shape, Time, id_of
from db.sql import Statement
from db.statements import access

UserKey = Annotated[str, Field(max_length=100, description="The user's id.")]
RoleKey = Annotated[str, Field(max_length=100, description="The role's name.", examples=["staff"])]
PermissionKey = Annotated[
    str, Field(max_length=100, description="`domain:action`, or `*`.", examples=["products:update"])
]
RoleName = Annotated[str, Field(pattern="^[a-z0-9_-]{1,50}$", examples=["auditor"])]
Description = Annotated[str, Field(max_length=500)]


class Role(Shape):
    id: id_of("role")  # type: ignore[valid-type]
    name: str = Field(examples=["staff"])
    description: str
    permissions: list[str] = Field(description="What whoever has the role may do; `*` is everything.")
    created_at: Time
    updated_at: Time


def holding(call: Call, *keys: str, role_id: str | None = None, over: str | None = None) -> Statement:
    """Refuses `forbidden` unless the caller, when it is written, holds the endpoint's own permission, `keys`, all that
    the role grants, and all that the user `over` has been granted."""
    return access.HOLDS(
        keys=dumps([call.asked.permission, *keys]), role_id=role_id, over=over, actor_id=call.actor.id, now=call.now
    )
