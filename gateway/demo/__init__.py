"""The demo: a small live platform behind the gateway, its pages, a crowd to try it with, and a replay of labelled text.

The platform stands for any platform: it knows nothing of the gateway but the address its crowd connects to.
"""
