"""The web pages: server-rendered, complete without a script, for a visitor with or without an account."""
