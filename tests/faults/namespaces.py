"""Namespaces, as the faults use them: a process that has mounts or a network of its own, seen by nobody else."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import Final

UNSHARE: Final = ("unshare", "--propagation", "private") if os.getuid() == 0 else ("unshare", "--map-root-user")
"""Who is not root is it in a user namespace of his own."""


def missing(*kinds: str) -> str | None:
    """Why `unshare` cannot make these (`--mount`, `--net`), None if it can."""
    if shutil.which("unshare") is None:
        return "there is no unshare: `apt-get install util-linux`"
    done = subprocess.run([*UNSHARE, "--mount", *kinds, "true"], capture_output=True, text=True, timeout=30)
    if done.returncode == 0:
        return None
    return f"this machine gives no namespaces (root, or user namespaces, may have them): {done.stderr.strip()[-200:]}"
