"""What is asked: expressions, look-ups, paths and statements as frozen values. No SQL is joined and nothing is run."""
