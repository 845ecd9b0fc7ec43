"""Content types: a row for each model, so that a row can point at a row of any model."""

verbose_name = "Content Types"
