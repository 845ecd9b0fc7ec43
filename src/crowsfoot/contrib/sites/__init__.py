"""Sites: the web sites that one database serves."""
