"""What ships with Crowsfoot beside the mapper itself."""
