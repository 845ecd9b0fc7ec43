"""Functions are found where Django has them."""

from __future__ import annotations

from crowsfoot.models import JSONField, fields, functions
from crowsfoot.models.fields import json
from crowsfoot.query import functions as below
from crowsfoot.query import json as below_json


def test_all_functions_are_there() -> None:
    missing = [name for name in below.__all__ if getattr(functions, name, None) is not getattr(below, name)]
    assert (missing, "Coalesce" in below.__all__) == ([], True)


def test_what_reads_into_json_is_there() -> None:
    assert json.JSONField is JSONField
    missing = [name for name in below_json.__all__ if getattr(json, name, None) is not getattr(below_json, name)]
    assert (missing, {"KT", "KeyTransform"} <= {*below_json.__all__}) == ([], True)
    assert fields.json is json
