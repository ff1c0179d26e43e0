"""The ordered stages of the decision. Each is one function of (Event, Snapshot, Scan, Policy) that yields Signals.

Stages know nothing of each other; `protection.pipeline` orders them and lets the most severe signal win.
"""
