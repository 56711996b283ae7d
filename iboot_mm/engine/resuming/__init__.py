"""How a checkpoint becomes the beginning of another run: its progress in this run's units, with this run's settings."""

from .adoption import adopt, describe_run

__all__ = ['adopt', 'describe_run']
