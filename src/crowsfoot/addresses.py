"""Whether a text is an IP address, a domain name, an e-mail address or a URL: the grammar behind the validators."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from typing import Final

MAX_URL_LENGTH: Final = 2048
MAX_DOMAIN_LENGTH: Final = 255
MAX_EMAIL_LENGTH: Final = 320
"""64 characters for the user, 255 for the domain, and the sign between them."""


def _domain(letters: str) -> str:
    """The pattern of a domain of two labels or more, whose labels are made of ``letters``, digits and hyphens."""
    label = rf"[{letters}0-9](?:[{letters}0-9-]{{0,61}}[{letters}0-9])?"
    last = rf"(?:(?!-)[{letters}-]{{2,63}}(?<!-)|xn--[a-z0-9]{{1,59}})"
    return rf"(?:{label}\.)+{last}"


# Texts, which `re` compiles and keeps when the first address is looked at: that takes longer than most imports.
_DOMAIN: Final = (_domain(r"a-z\u00a1-\uffff"), re.IGNORECASE)
_ASCII_DOMAIN: Final = (_domain("a-z"), re.IGNORECASE | re.ASCII)

_ATOM: Final = r"[-!#$%&'*+/=?^_`{}|~0-9a-z]+"
_USER: Final = (
    # Words with dots between them, or anything but a bare quote, backslash, tab and line end between quotes.
    rf"{_ATOM}(?:\.{_ATOM})*"
    r'|"(?:[\x01-\x08\x0b\x0c\x0e-\x1f!#-\[\]-\x7f]|\\[\x01-\x09\x0b\x0c\x0e-\x7f])*"'
)

_NETLOC: Final = r"(?:[^:@\[\]]+(?::[^:@\[\]]*)?@)?(?:\[(?P<ipv6>[^\]%]+)\]|(?P<host>[^:@\[\]]+))(?::[0-9]{1,5})?"


def is_ipv4(text: str) -> bool:
    """``192.0.2.1``."""
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return True


def is_ipv6(text: str) -> bool:
    """``2001:db8::1``, also with a scope: ``fe80::1%eth0``."""
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def is_domain(text: str, *, ascii_only: bool = False, final_dot: bool = True) -> bool:
    """``example.com``: two labels or more, the last not of digits; with ``final_dot`` also ``example.com.``."""
    name = text[:-1] if final_dot and text.endswith(".") else text
    pattern, flags = _ASCII_DOMAIN if ascii_only else _DOMAIN
    return len(text) <= MAX_DOMAIN_LENGTH and bool(re.fullmatch(pattern, name, flags))


def is_email_user(text: str) -> bool:
    """What may stand before the ``@``."""
    return bool(re.fullmatch(_USER, text, re.IGNORECASE | re.ASCII))


def is_email_domain(text: str) -> bool:
    """What may stand after the ``@``: a domain, or an IP address in brackets."""
    if text.startswith("[") and text.endswith("]"):
        return is_ipv4(text[1:-1]) or is_ipv6(text[1:-1])
    return is_domain(text, final_dot=False)


def is_url(text: str, schemes: Collection[str]) -> bool:
    """An absolute URL of one of ``schemes`` (in lower case) whose host is a domain, an IP address or ``localhost``."""
    scheme, separator, rest = text.partition("://")
    if not separator or scheme.lower() not in schemes or re.search(r"\s", text):
        return False
    match = re.fullmatch(_NETLOC, re.split(r"[/?#]", rest, maxsplit=1)[0])
    if match is None:
        return False
    if match["ipv6"]:
        return is_ipv6(match["ipv6"])
    host = match["host"]
    # 253 is what is left of 255 when a name is sent: each label is preceded by its length.
    return (len(host) <= 253 and is_domain(host)) or host.lower() == "localhost" or is_ipv4(host)
