"""Validators: what they accept, what they say, and how a migration writes them."""

from __future__ import annotations

import copy
import ipaddress
import pickle
import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowsfoot import validators as v
from crowsfoot.errors import ValidationError


def complaint(validator: Any, value: Any) -> str | None:
    """What a validator says of a value, None for a good one."""
    try:
        validator(value)
    except ValidationError as error:
        assert error.code  # noqa: PT017
        return error.messages[0]
    return None


EMAIL = "Enter a valid email address."
URL = "Enter a valid URL."
DOMAIN = "Enter a valid domain name."

GOOD = [
    (v.validate_email, ["a@b.co", "a@localhost", "a@[127.0.0.1]", "a@[::1]", "o'k+x@é.fr", "A@B.CO"]),
    (v.validate_email, ["a@x.xn--p1ai", f"a@{'a' * 63}.us", '"\\""@c.de', '"a@b"@c.de', "a.b.c@d-e.fg"]),
    (v.EmailValidator(allowlist=["intra"]), ["a@intra", "a@b.co"]),
    (v.validate_domain_name, ["a.co", "a.co.", "é.fr", "xn--a.xn--p1ai", "A.CO", f"{'a' * 63}.co"]),
    (
        v.URLValidator(),
        ["http://a.co", "HTTPS://a.co:80/x?y#z", "ftp://u:p@a.co", "http://localhost", "http://u:@a.co"],
    ),
    (v.URLValidator(), ["http://[::1]:80/", "http://1.2.3.4", "http://a.co.", "http://é.fr/é", "http://a.co?x@y:z"]),
    (v.URLValidator(schemes=["ssh+git"]), ["ssh+git://a.co"]),
    (v.validate_ipv4_address, ["1.2.3.4", ipaddress.ip_address("1.2.3.4")]),
    (v.validate_ipv6_address, ["::1", "fe80::1%eth0", "::ffff:1.2.3.4"]),
    (v.validate_ipv46_address, ["::1", "1.2.3.4"]),
    (v.validate_slug, ["a-b_1", 1]),
    (v.validate_unicode_slug, ["é-1"]),
    (v.validate_integer, ["1", "-1", 5]),
    (v.validate_comma_separated_integer_list, ["1", "1,22,333"]),
    (v.int_list_validator(sep="|", allow_negative=True), ["-1|2"]),
    (v.MaxValueValidator(3), [3, 2.5]),
    (v.MinValueValidator(lambda: 3), [3]),
    (v.StepValueValidator(3), [0, 9, -3]),
    (v.StepValueValidator(0.1), [0.3, 0.1 + 0.2, 4.1]),
    (v.StepValueValidator(Decimal("0.02")), [Decimal("0.88"), Decimal.from_float(0.88)]),
    (v.StepValueValidator(3, offset=1), [1, 4, -2]),
    (v.MaxLengthValidator(2), ["ab", [1]]),
    (v.MinLengthValidator(2), ["ab"]),
    (v.DecimalValidator(None, None), [Decimal("1e999")]),
    (v.DecimalValidator(4, 2), ["12.34", 3, 0.5]),
    (v.ProhibitNullCharactersValidator(), ["a", None]),
    (v.RegexValidator("B", flags=re.I), ["abc"]),
    (v.RegexValidator("b", inverse_match=True), ["ac"]),
]

BAD: list[tuple[Any, list[Any], str]] = [
    (v.validate_email, ["", None, "a", "a@b", "a@b.c", "a..b@c.de", ".a@c.de", "é@c.de", "a@-b.fr", "a@b.co."], EMAIL),
    (v.validate_email, ["a@b_c.de", "a@b.12", "a b@c.de", "a@b.co\n", "a@[300.1.1.1]", "@b.co", "a@", 5], EMAIL),
    (v.validate_email, ["a" * 320 + "@b.co", f"a@{'a' * 64}.us", '"a\nb"@c.de', "a@b@c.de", "a@.co"], EMAIL),
    (v.EmailValidator(allowlist=[]), ["a@localhost"], EMAIL),
    (v.EmailValidator("No!"), ["a"], "No!"),
    (v.validate_domain_name, ["", None, "a", "a..co", "-a.co", "a_b.co", "a.1", "a.c", "127.0.0.1", "a.co\n"], DOMAIN),
    (v.validate_domain_name, [".".join(["a" * 60] * 5) + ".com", "a.co.."], DOMAIN),
    (v.DomainNameValidator(accept_idna=False), ["é.fr"], DOMAIN),
    (v.URLValidator(), ["", None, "a.co", "//a.co", "http:a.co", "http://", "http://a", "foo://a.co"], URL),
    (v.URLValidator(), ["http://a.co:", "http://a.co:123456", "http://:p@a.co", "http://u:p:q@a.co"], URL),
    (v.URLValidator(), ["http://[::1", "http://[1.2.3.4]", "http://256.1.1.1", "http://a.co/ x", "\thttp://a.co"], URL),
    (v.URLValidator(), ["http://a_b.co", "http://a.co\n", "http://-a.co", f"http://a.co/{'x' * 2048}"], URL),
    (v.URLValidator(), ["javascript:alert(1)//http://a.co", "http://u/@a.co", "http://[::1]x"], URL),
    (v.URLValidator(schemes=["git"]), ["http://a.co"], URL),
    (v.validate_ipv4_address, ["01.2.3.4", "1.2.3", "", None, "::1", "1.2.3.4\n"], "Enter a valid IPv4 address."),
    (v.validate_ipv6_address, ["1.2.3.4", "1::2::3", "[::1]", None], "Enter a valid IPv6 address."),
    (v.validate_ipv46_address, ["x", "1.2.3.4/8"], "Enter a valid IPv4 or IPv6 address."),
    (
        v.validate_slug,
        ["a b", "é", "", "a\n"],
        "Enter a valid “slug” consisting of letters, numbers, underscores or hyphens.",
    ),
    (
        v.validate_unicode_slug,
        ["a b", "", "a."],
        "Enter a valid “slug” consisting of Unicode letters, numbers, underscores, or hyphens.",
    ),
    (v.validate_integer, ["", "1.0", " 1", "1_0", None, True, "1\n"], "Enter a valid integer."),
    (v.validate_comma_separated_integer_list, ["", "1,", "-1", "1, 2"], "Enter only digits separated by commas."),
    (v.int_list_validator(), ["a"], "Enter a valid value."),
    (v.MaxValueValidator(3), [4], "Ensure this value is less than or equal to 3."),
    (v.MinValueValidator(lambda: 3), [2], "Ensure this value is greater than or equal to 3."),
    (v.StepValueValidator(3), [4, float("inf")], "Ensure this value is a multiple of step size 3."),
    (v.StepValueValidator(0.1), [0.35], "Ensure this value is a multiple of step size 0.1."),
    (
        v.StepValueValidator(3, offset=1),
        [3],
        "Ensure this value is a multiple of step size 3, starting from 1, e.g. 1, 4, 7, and so on.",
    ),
    (v.MaxLengthValidator(1), ["ab"], "Ensure this value has at most 1 character (it has 2)."),
    (v.MaxLengthValidator(2), ["abc"], "Ensure this value has at most 2 characters (it has 3)."),
    (v.MinLengthValidator(2), [""], "Ensure this value has at least 2 characters (it has 0)."),
    (v.DecimalValidator(1, 1), ["0.12"], "Ensure that there are no more than 1 digit in total."),
    (v.DecimalValidator(4, 1), ["0.12"], "Ensure that there are no more than 1 decimal place."),
    (v.DecimalValidator(4, 2), ["123"], "Ensure that there are no more than 2 digits before the decimal point."),
    (v.DecimalValidator(4, 2), ["nan", "inf", "x", None, Decimal("-Infinity"), "sNaN"], "Enter a number."),
    (v.ProhibitNullCharactersValidator(), ["a\x00"], "Null characters are not allowed."),
    (v.ProhibitNullCharactersValidator("No!", "nul"), ["\x00"], "No!"),
    (v.RegexValidator("b", inverse_match=True), ["b"], "Enter a valid value."),
    (v.BaseValidator(3), [4], "Ensure this value is 3 (it is 4)."),
]


@pytest.mark.parametrize(("validator", "values"), GOOD)
def test_good(validator: Any, values: list[Any]) -> None:
    for value in values:
        assert complaint(validator, value) is None, value


@pytest.mark.parametrize(("validator", "values", "message"), BAD)
def test_bad(validator: Any, values: list[Any], message: str) -> None:
    for value in values:
        assert complaint(validator, value) == message, value


def test_errors_have_codes_and_parameters() -> None:
    with pytest.raises(ValidationError) as caught:
        v.MaxLengthValidator(3)("abcd")
    assert caught.value.code == "max_length"
    assert caught.value.params == {"limit_value": 3, "show_value": 4, "value": "abcd"}
    with pytest.raises(ValidationError) as caught:
        v.MaxLengthValidator(3, "%(value)s is %(show_value)d long")("abcd")
    assert caught.value.messages == ["abcd is 4 long"]


@given(
    st.decimals(allow_nan=False, allow_infinity=False) | st.decimals(-9999, 9999, places=3),
    st.integers(1, 12),
    st.integers(0, 12),
)
def test_decimals_against_their_digits(value: Decimal, max_digits: int, places: int) -> None:
    places = min(places, max_digits)
    if abs(value.as_tuple().exponent) > 400:
        return
    whole, _, fraction = f"{abs(value):f}".partition(".")
    whole = whole.lstrip("0")
    if len(whole) + len(fraction) > max_digits:
        expected = "in total"
    elif len(fraction) > places:
        expected = "decimal place"
    elif len(whole) > max_digits - places:
        expected = "before the decimal point"
    else:
        expected = ""
    assert expected in (complaint(v.DecimalValidator(max_digits, places), value) or "")
    assert bool(expected) == bool(complaint(v.DecimalValidator(max_digits, places), value))


@given(st.text(max_size=60) | st.text(alphabet='a1@.-:/[]%"\\é \n', max_size=40))
def test_nothing_but_validation_errors(text: str) -> None:
    for validator, _ in GOOD[:15]:
        complaint(validator, text)
        complaint(validator, f"http://{text}")
        complaint(validator, f"a@{text}")


@given(st.ip_addresses())
def test_every_address(address: Any) -> None:
    assert complaint(v.validate_ipv46_address, str(address)) is None
    assert (complaint(v.validate_ipv4_address, address) is None) == (address.version == 4)
    host = f"[{address}]" if address.version == 6 else str(address)
    assert complaint(v.URLValidator(), f"http://{host}:8000/x") is None


def test_ip_address_validators() -> None:
    assert v.ip_address_validators("IPv4", False) == [v.validate_ipv4_address]
    assert v.ip_address_validators("both", True) == [v.validate_ipv46_address]
    with pytest.raises(ValueError, match="You can only use `unpack_ipv4`"):
        v.ip_address_validators("ipv4", True)
    with pytest.raises(ValueError, match=r"The protocol 'x' is unknown\. Supported: \['both', 'ipv4', 'ipv6'\]"):
        v.ip_address_validators("x", False)


class Even(v.BaseValidator):
    """A validator as a user writes it."""

    message = "Not even."

    def compare(self, a: Any, b: Any) -> bool:
        return a % b != 0


@pytest.mark.parametrize(
    ("validator", "path", "args", "kwargs"),
    [
        (v.validate_email, "EmailValidator", (), {}),
        (v.EmailValidator(allowlist=["x"]), "EmailValidator", (), {"allowlist": ["x"]}),
        (v.URLValidator(schemes=["a"]), "URLValidator", (), {"schemes": ["a"]}),
        (v.RegexValidator("a", "m", "c", True, 2), "RegexValidator", ("a", "m", "c", True, 2), {}),
        (v.MaxValueValidator(3), "MaxValueValidator", (3,), {}),
        (v.MinLengthValidator(3, message="q"), "MinLengthValidator", (3,), {"message": "q"}),
        (v.StepValueValidator(3, offset=1), "StepValueValidator", (3,), {"offset": 1}),
        (v.DecimalValidator(3, 2), "DecimalValidator", (3, 2), {}),
        (v.DomainNameValidator(accept_idna=False), "DomainNameValidator", (), {"accept_idna": False}),
        (v.ProhibitNullCharactersValidator(), "ProhibitNullCharactersValidator", (), {}),
    ],
)
def test_deconstruct(validator: Any, path: str, args: Any, kwargs: Any) -> None:
    assert validator.deconstruct() == (f"django.core.validators.{path}", args, kwargs)
    again = getattr(v, path)(*args, **kwargs)
    assert again == validator
    assert hash(again) == hash(validator)
    assert pickle.loads(pickle.dumps(validator)) == validator
    assert copy.deepcopy(validator).deconstruct() == validator.deconstruct()


def test_deconstruct_of_others() -> None:
    path, args, _ = v.validate_slug.deconstruct()
    assert path == "django.core.validators.RegexValidator"
    assert args[0] == re.compile(r"^[-a-zA-Z0-9_]+\Z")
    assert Even(2).deconstruct() == (f"{__name__}.Even", (2,), {})
    assert complaint(Even(2), 3) == "Not even."
    assert repr(v.StepValueValidator(3, offset=1)) == "StepValueValidator(3, offset=1)"


def test_equality() -> None:
    assert v.MaxValueValidator(3) == v.MaxValueValidator(3.0)
    assert v.MaxValueValidator(3) != v.MaxValueValidator(4)
    assert v.MaxValueValidator(3) != v.MinValueValidator(3)
    assert v.MaxValueValidator(3) != v.MaxValueValidator(3, "other")
    assert v.RegexValidator("a") == v.RegexValidator(re.compile("a"))
    assert v.RegexValidator("a") != v.RegexValidator("a", flags=re.I)
    assert v.URLValidator(["a", "b"]) == v.URLValidator(["b", "a"])
    assert v.URLValidator(["a"]) != v.URLValidator()
    assert v.StepValueValidator(3, offset=1) != v.StepValueValidator(3, offset=2)
    assert v.DecimalValidator(1, 2) != v.DecimalValidator(2, 2)
    assert v.MaxValueValidator(3) != 3
    assert len({v.MaxValueValidator([1]), v.MaxValueValidator([1])}) == 1


def test_flags_need_text() -> None:
    with pytest.raises(TypeError, match="regex must be a regular expression string"):
        v.RegexValidator(re.compile("a"), flags=re.I)


def test_regex_in_a_subclass() -> None:
    class Code(v.RegexValidator):
        regex = r"\A[A-Z]{3}\Z"
        message = "Three capitals."

    assert complaint(Code(), "ABC") is None
    assert complaint(Code(), "abc") == "Three capitals."
