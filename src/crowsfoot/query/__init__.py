"""What is asked: expressions, look-ups, paths and statements as frozen values. No SQL text is joined and nothing runs here."""
