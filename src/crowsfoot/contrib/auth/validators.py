"""What a user name may look like (``django.contrib.auth.validators``)."""

from __future__ import annotations

import re

from crowsfoot.validators import RegexValidator


class ASCIIUsernameValidator(RegexValidator):
    """Letters and digits of ASCII, and ``@ . + - _``."""

    regex = r"^[\w.@+-]+\Z"
    message = (
        "Enter a valid username. This value may contain only unaccented lowercase a-z and uppercase A-Z letters, "
        "numbers, and @/./+/-/_ characters."
    )
    flags = re.ASCII


class UnicodeUsernameValidator(RegexValidator):
    """Letters and digits of any script, and ``@ . + - _``."""

    regex = r"^[\w.@+-]+\Z"
    message = "Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ characters."
    flags = 0
