"""The hidden model of a many-to-many's link table."""

from __future__ import annotations

from typing import Any

from crowsfoot.models.fields.foreign_key import ForeignKey
from crowsfoot.models.fields.many_to_many import ManyToManyField
from crowsfoot.schema.relation import CASCADE
from crowsfoot.sql.names import link_table_name


def make_link_model(base: Any, owner: Any, field: ManyToManyField[Any]) -> Any:
    """Make the link model of ``field``: ``Post_tags`` with a foreign key to each side, unique together."""
    meta = owner._meta
    recursive = field.target_label == meta.label_lower
    to = field.target_name.lower() if field.to != "self" else meta.model_name
    one, other = meta.model_name, to
    if recursive or one == other:
        one, other = f"from_{one}", f"to_{other}"
    name = f"{meta.object_name}_{field.name}"
    options = type(
        "Meta",
        (),
        {
            "db_table": field.db_table or link_table_name(meta.db_table, field.name),
            "auto_created": owner,
            "app_label": meta.app_label,
            "db_tablespace": meta.db_tablespace,
            "unique_together": (one, other),
            "verbose_name": f"{meta.object_name.lower()}-{to} relationship",
            "verbose_name_plural": f"{meta.object_name.lower()}-{to} relationships",
            "apps": meta.apps,
            "managed": meta.managed,
        },
    )
    target = owner if field.to == "self" else field.to
    if isinstance(target, str) and "." not in target:
        target = f"{meta.app_label}.{target}"
    keys: dict[str, Any] = {"related_name": f"{name}+", "db_constraint": field.db_constraint, "on_delete": CASCADE}
    model = type(base)(
        name,
        (base,),
        {
            "Meta": options,
            "__module__": owner.__module__,
            one: ForeignKey(owner, **keys),
            other: ForeignKey(target, **keys),
        },
    )
    field.through = model
    field.through_made = True  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    return model
