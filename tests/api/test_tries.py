"""Where tries come from."""

from types import SimpleNamespace
from typing import Any

import pytest

from api.tries import network_of


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:DB8:1:2::9", "2001:db8:1:2::"),
        ("2001:db8:1:3::9", "2001:db8:1:3::"),
        ("fe80::1%eth0", "fe80::"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("no:address", "no:address"),
        (None, ""),
    ],
)
def test_an_address_of_ipv6_counts_as_its_network(address: str | None, network: str) -> None:
    call: Any = SimpleNamespace(asked=SimpleNamespace(ip_address=address))
    assert network_of(call) == network
