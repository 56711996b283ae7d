"""Labelled images, on which networks of single frames are judged."""
