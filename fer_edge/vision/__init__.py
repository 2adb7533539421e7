"""Frames to followed faces, each with its crop."""
