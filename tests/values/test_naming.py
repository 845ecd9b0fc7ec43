"""What loggers and modules are called, before and after ``crowsfoot.django.install()``."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import crowsfoot.django
from crowsfoot import models
from crowsfoot.naming import log, module_name

names = ("crowsfoot.models.fields.numbers", "crowsfoot.contrib.contenttypes.fields", "blog.models")
print(log("dispatch").name, *map(module_name, names), repr(models.IntegerField()))
crowsfoot.django.install()
print(log("dispatch").name, *map(module_name, names), repr(models.IntegerField()))
"""


def test_names_are_djangos_after_install() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    before, after = done.stdout.splitlines()
    assert before == (
        "crowsfoot.dispatch crowsfoot.models.fields.numbers crowsfoot.contrib.contenttypes.fields blog.models "
        "<crowsfoot.models.fields.numbers.IntegerField>"
    )
    assert after == (
        "django.dispatch django.db.models.fields django.contrib.contenttypes.fields blog.models "
        "<django.db.models.fields.IntegerField>"
    )
