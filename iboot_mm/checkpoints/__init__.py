from .description import CheckpointInfo, describe_checkpoint

__all__ = ['CheckpointInfo', 'describe_checkpoint']
