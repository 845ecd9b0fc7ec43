"""What exists: logical types, tables, relations and entities. No SQL text, no I/O, no model classes."""
