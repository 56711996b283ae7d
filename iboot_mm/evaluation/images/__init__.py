"""Judges of networks of single frames: transfer to labelled images, stability over frames."""
