"""Readers of videos that give the same frames, whichever library decodes."""

from .base import UnreadableVideo, VideoReader, get_decoder, open_video, register_decoder

__all__ = ['UnreadableVideo', 'VideoReader', 'get_decoder', 'open_video', 'register_decoder']
