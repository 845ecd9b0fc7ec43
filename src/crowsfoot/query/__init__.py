"""What is asked: expressions, look-ups, paths and statements as frozen values. No SQL is written and nothing runs
here."""
