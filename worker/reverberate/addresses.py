"""Which network addresses a stranger's link may lead to. Pure.

Python's own ``ipaddress.is_global`` is not asked: several versions call NAT64 of 127.0.0.1, IPv4-compatible and
multicast addresses global. This table follows the IANA special-purpose registries; what is not surely public is not.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

SPECIAL_V4: Final = tuple(
    IPv4Network(block)
    for block in (
        "0.0.0.0/8",  # this host
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared by carriers, and by overlay networks
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local, and the clouds' metadata services
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays, deprecated
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
UNICAST_V6: Final = IPv6Network("2000::/3")
SPECIAL_V6: Final = tuple(
    IPv6Network(block)
    for block in (
        "2001::/23",  # protocol assignments: Teredo, ORCHID, benchmarks
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, deprecated: it wraps any IPv4 address
        "3fff::/20",  # documentation
    )
)
WRAPPERS: Final = (IPv6Network("::ffff:0:0/96"), IPv6Network("64:ff9b::/96"))
"""IPv4-mapped, and the NAT64 of networks that have no IPv4: judged by the address inside."""
OWNED: Final = tuple(
    IPv4Network(block) for block in ("10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
)
OWNED_V6: Final = (IPv6Network("::1/128"), IPv6Network("fc00::/7"))
"""Where an owner's own machines may be."""


def is_public(address: str) -> bool:
    """Whether the address is certainly one of the public internet."""
    match _unwrapped(address):
        case IPv4Address() as v4:
            return not any(v4 in block for block in SPECIAL_V4)
        case IPv6Address() as v6:
            return v6.scope_id is None and v6 in UNICAST_V6 and not any(v6 in block for block in SPECIAL_V6)


def is_owned(address: str) -> bool:
    """Whether the address can be a machine of the owner's own network. Never true of link-local ones."""
    match _unwrapped(address):
        case IPv4Address() as v4:
            return any(v4 in block for block in OWNED)
        case IPv6Address() as v6:
            return any(v6 in block for block in OWNED_V6)


def _unwrapped(address: str) -> IPv4Address | IPv6Address:
    parsed = ip_address(address)
    if isinstance(parsed, IPv6Address) and any(parsed in block for block in WRAPPERS):
        return IPv4Address(int(parsed) & 0xFFFF_FFFF)
    return parsed
