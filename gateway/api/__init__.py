"""The control API: what platforms, people and moderators ask of the gateway over HTTP."""
