"""What a file says of the network in it, and the recipes and names that it may come with."""

from .description import CheckpointInfo, describe_checkpoint

__all__ = ['CheckpointInfo', 'describe_checkpoint']
