"""The decision: who may say what to whom, now.

Pure: an Event, a Snapshot and the text's Hits go in, a Verdict comes out.
"""
