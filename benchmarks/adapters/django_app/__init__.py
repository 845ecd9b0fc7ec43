"""An installed app: without one, Django does not know what points at a model."""
