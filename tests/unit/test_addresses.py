"""Which addresses are public, and which an owner's own."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reverberate.addresses import is_owned, is_public

PUBLIC = ("1.1.1.1", "93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:8.8.8.8", "64:ff9b::808:808")
OWNED = (
    "127.0.0.1",
    "10.1.2.3",
    "172.31.0.1",
    "192.168.1.20",
    "100.101.102.103",
    "::1",
    "fd12::1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
)
NEITHER = (
    *("0.0.0.1", "169.254.169.254", "192.0.0.8", "192.0.2.1", "192.88.99.1", "198.18.0.1", "203.0.113.9"),
    *("224.0.0.251", "240.0.0.1", "255.255.255.255", "::", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1"),
    *("::127.0.0.1", "64:ff9b:1::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2001:0:4136:e378::1", "100::1"),
    *("2001:db8::1", "3fff::1", "5f00::1", "::ffff:0:127.0.0.1", "2600::1%eth0"),
)


@pytest.mark.parametrize("address", PUBLIC)
def test_public(address: str) -> None:
    assert is_public(address)
    assert not is_owned(address)


@pytest.mark.parametrize("address", OWNED)
def test_owned(address: str) -> None:
    assert is_owned(address)
    assert not is_public(address)


@pytest.mark.parametrize("address", NEITHER)
def test_neither(address: str) -> None:
    assert not is_public(address)
    assert not is_owned(address)


@given(st.ip_addresses(v=4))
def test_mapped_and_translated_addresses_are_judged_as_the_one_inside(inside: IPv4Address) -> None:
    for prefix in (0xFFFF << 32, 0x64FF9B << 96):
        assert is_public(str(IPv6Address(prefix | int(inside)))) == is_public(str(inside))


@given(st.ip_addresses())
def test_what_python_calls_private_is_never_public(address: IPv4Address | IPv6Address) -> None:
    """Python's own table errs too, but only in calling too much public."""
    if address.is_private or address.is_multicast or address.is_loopback or address.is_link_local:
        assert not is_public(str(address)) or str(address).startswith(("64:ff9b:", "::ffff:"))
