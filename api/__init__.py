"""The plumbing between HTTP and a handler."""

import sys
from types import ModuleType

# Before it builds its first model, pydantic imports importlib.metadata, and with it the modules of e-mail, zip and csv,
# to read what every installed package says about plugins: an eighth of a function's cold start, to find none. So it
# finds this instead. tests/api/test_cold_start.py notices when another version of pydantic looks elsewhere.
_LOADER = "pydantic.plugin._loader"
if _LOADER not in sys.modules:
    sys.modules[_LOADER] = ModuleType(_LOADER)
    vars(sys.modules[_LOADER])["get_plugins"] = tuple
