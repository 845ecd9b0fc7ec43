"""How it is said: descriptions become SQL text and bind slots. Nothing runs here."""
