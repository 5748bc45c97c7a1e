"""Embedded data: drawn people in scenes, with known truth."""
