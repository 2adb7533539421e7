"""The machine around the daemon: service manager, journal, board, and what is missing on it.

Import from the modules; nothing is re-exported, so that `board` costs nobody the price of `doctor`.
"""
