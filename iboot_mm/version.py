"""The version of the package, read by `setup.py` as text and written into published files."""

__version__ = '0.1.0'
