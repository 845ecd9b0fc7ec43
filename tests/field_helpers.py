"""What tests of fields share: a name, a model that is hardly one, and the words of a refusal."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from crowsfoot.errors import ValidationError


def named(field: Any, name: str = "x") -> Any:
    field.set_attributes_from_name(name)
    return field


def refusal(call: Any, *args: Any) -> tuple[str, str | None]:
    with pytest.raises(ValidationError) as caught:
        call(*args)
    return caught.value.messages[0], caught.value.error_list[0].code


class Model:
    """As little of a model as a field wants."""

    _get_next_or_previous_by_FIELD = None

    def __init_subclass__(cls) -> None:
        cls._meta = SimpleNamespace(label=f"app.{cls.__name__}", add_field=lambda field, private: None, auto_field=None)


def in_model(field: Any, name: str = "x") -> type[Any]:
    class Thing(Model):
        pass

    Thing._get_next_or_previous_by_FIELD = lambda self, field, is_next: (field.name, is_next)
    field.contribute_to_class(Thing, name)
    return Thing
