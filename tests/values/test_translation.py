"""Texts that are marked for translation: lazy where their names say so."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from crowsfoot import models
from crowsfoot.functional import Promise
from crowsfoot.translation import gettext_lazy, ngettext_lazy, npgettext_lazy, pgettext_lazy


class Size(models.TextChoices):
    SMALL = "S", gettext_lazy("Small")


class Shirt(models.Model):
    size = models.CharField(max_length=1, choices=Size.choices, verbose_name=gettext_lazy("how big"))
    worn: Any = models.ForeignKey("self", models.CASCADE, verbose_name=gettext_lazy("worn with"))

    class Meta:
        app_label = "translation"
        verbose_name = gettext_lazy("a shirt")


@pytest.mark.parametrize("text", [gettext_lazy("Small"), pgettext_lazy("of shirts", "Small")])
def test_a_lazy_text_is_a_promise_of_it(text: Any) -> None:
    assert isinstance(text, Promise)
    assert (str(text), text + "er", f"{text}", text.upper()) == ("Small", "Smaller", "Small", "SMALL")
    assert text == "Small"
    assert pickle.loads(pickle.dumps(text)) == "Small"


def test_labels_stay_lazy_and_are_shown_as_texts() -> None:
    assert isinstance(Size.SMALL.label, Promise)
    assert Size.choices == [("S", "Small")]
    shown = Shirt(size="S").get_size_display()  # type: ignore[attr-defined]  # pyright: ignore
    assert type(shown) is str
    assert shown == "Small"
    assert Shirt._meta.get_field("size").verbose_name == "how big"
    assert Shirt._meta.verbose_name_raw == "a shirt"


def test_a_number_may_be_told_now_or_later() -> None:
    assert [str(ngettext_lazy("a day", "days", number)) for number in (1, 2)] == ["a day", "days"]
    later = ngettext_lazy("%(n)d day of %(all)d", "%(n)d days of %(all)d", "n")
    assert isinstance(later, Promise)
    assert later % {"n": 1, "all": 9} == "1 day of 9"
    assert later % {"n": 2, "all": 9} == "2 days of 9"
    assert npgettext_lazy("time", "%d day", "%d days") % 1 == "1 day"
    assert ngettext_lazy("a day", "days") % 1 == "a day"
    with pytest.raises(KeyError):
        later % {"all": 9}  # type: ignore[operator]
