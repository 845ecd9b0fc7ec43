"""What PostgreSQL has beyond other databases."""
