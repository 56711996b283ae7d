"""State dicts from files, whole and checked, and downloads."""
