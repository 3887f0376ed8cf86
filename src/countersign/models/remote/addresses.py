"""Which addresses are asked: none of link-local and cloud metadata ranges unless allowed. Loopback and private are
fine.

Metadata services hand out the keys of a machine to whoever asks from it. Their addresses: 169.254.169.254 (most
clouds),
fd00:ec2::254 (AWS over IPv6), 100.100.100.200 (Alibaba), 168.63.129.16 (Azure), 192.0.0.192 (Oracle), as those clouds
document them. IPv4 addresses inside of IPv6 ones (mapped, translated, 6to4, NAT64, Teredo, ISATAP) are looked at too.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator

import httpcore

from countersign.domain.errors import ServerGone

IP = ipaddress.IPv4Address | ipaddress.IPv6Address
_METADATA = frozenset(
    ipaddress.ip_address(text)
    for text in ("169.254.169.254", "fd00:ec2::254", "100.100.100.200", "168.63.129.16", "192.0.0.192")
)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
# Others that end with an IPv4 address: NAT64 of a site (RFC 8215), translated ones (RFC 2765).
_ENDING_IN_IPV4 = (_NAT64, ipaddress.ip_network("64:ff9b:1::/48"), ipaddress.ip_network("::ffff:0:0:0/96"))
_ISATAP = (0x5EFE, 0x2005EFE)  # RFC 5214


def refused(address: IP, *, public_only: bool = False) -> bool:
    """Whether an address is link-local, a metadata service or none that a server can have; or not public."""
    return any(_refused(each, public_only=public_only) for each in _all(address))


def _all(address: IP) -> Iterator[IP]:
    yield address
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            yield address.ipv4_mapped
        if address.sixtofour:
            yield address.sixtofour
        if address.teredo:
            yield from address.teredo
        ends_in_ipv4 = any(address in net for net in _ENDING_IN_IPV4) or int(address) >> 32 & 0xFFFFFFFF in _ISATAP
        if ends_in_ipv4 or (int(address) >> 32 == 0 and int(address) > 1):
            yield ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)


def _refused(address: IP, *, public_only: bool) -> bool:
    if public_only and not address.is_global and not (address.version == 6 and address in _NAT64):
        return True
    bad = address.is_link_local or address.is_multicast or address.is_unspecified
    return bad or address in _METADATA


def resolve(host: str, port: int, *, allow_link_local: bool = False, public_only: bool = False) -> list[str]:
    """Return the addresses of a host, after every one of them was looked at.

    Raises httpcore.ConnectError where the name is not found: another try may find it. ServerGone for a bad address.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise httpcore.ConnectError(f"There is no computer {host!r} ({error})") from error
    except UnicodeError as error:  # no name at all
        raise ServerGone(f"There is no computer {host!r} ({error})", remedy="Check the address.") from error
    texts = list(dict.fromkeys(str(item[4][0]) for item in found))
    for text in texts:
        address = ipaddress.ip_address(text.partition("%")[0])
        if not allow_link_local and refused(address, public_only=public_only):
            which = f"{host} ({address})" if str(address) != host else host
            raise ServerGone(
                f"The address {which} is refused: it is "
                + ("not public" if public_only else "link-local, a metadata service or no address of a server"),
                remedy="Give another address, or allow such addresses for this model if you know what answers there.",
            )
    return texts
