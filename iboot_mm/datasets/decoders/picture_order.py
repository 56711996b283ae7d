"""Whether the times of packets are those at which frames are shown.

AVI, some ASF and Matroska's mode for old codecs store no times of presentation. FFmpeg then makes up times that rise in
order of storage: decoded frames leave in the right order with times that are not.
"""

import re
from typing import Any

import numpy as np

# Codecs that announce reordering unless told otherwise, and tell in each picture of which type it is: the header of a
# picture, how to take its type from it, and the type that is reordered.
_HEADERS = dict(
    mpeg4=(re.compile(b'\x00\x00\x01\xb6(.)', re.DOTALL), lambda match: match[1][0] >> 6, 2),
    mpeg2video=(re.compile(b'\x00\x00\x01\x00.(.)', re.DOTALL), lambda match: match[1][0] >> 3 & 7, 3))
_HEADERS['mpeg1video'] = _HEADERS['mpeg2video']
_EMPTY_PICTURE = 19  # bytes: FFmpeg takes what is no longer for a picture of MPEG-4 that is not coded, and shows none
_UNIT, _IDR = re.compile(b'\x00\x00\x01(.)', re.DOTALL), 5  # H.264: a unit, and the byte that says of which type


class PictureOrder:
    """What the contents of packets say of the order in which a decoder puts out their pictures.

    Args:
        context: PyAV's codec context of the stream.

    Attributes:
        one_to_one (bool): Whether each packet seen so far gives exactly one frame, as far as one can tell.
    """

    def __init__(self, context: Any) -> None:
        self.codec = context.codec.name
        may_reorder = bool(context.codec.reorder and context.has_b_frames)
        # Later than PyAV 14: by how many frames the decoder delays its output to sort it.
        self.depth: int | None = getattr(context, 'reorder_depth', None)
        self.one_to_one = True
        self._header = _HEADERS.get(self.codec) if may_reorder else None
        self._reorders = may_reorder and self._header is None  # as far as is known

    def see(self, packet: Any) -> None:
        """Take in the next packet."""
        if self.codec == 'vp8':
            self.one_to_one &= bool(memoryview(packet)[0] & 0x10)  # else it is for reference only
        elif self.codec == 'mpeg4':
            self.one_to_one &= packet.size > _EMPTY_PICTURE
        if self._header is not None:
            pattern, type_of, reordered = self._header
            types = list(map(type_of, pattern.finditer(bytes(packet))))
            self.one_to_one &= len(types) == 1  # DivX and XviD may pack two pictures into a packet
            self._reorders |= reordered in types

    def agrees_with(self, times: np.ndarray) -> bool:
        """Whether a decoder puts frames out in the order of these times.

        Args:
            times (np.ndarray): int64 (P,), distinct, of the packets in order of storage.
        """
        if not self.one_to_one:
            return False
        shown_at = np.empty(len(times), dtype=np.int64)
        shown_at[np.argsort(times)] = np.arange(len(times))
        delay = int((np.arange(len(times)) - shown_at).max())  # frames that the decoder must hold back
        if shown_at[0]:  # shown before the frame that they are predicted from: decoders leave such out
            return False
        if not self._reorders:
            return delay == 0
        # That nothing is reordered where the codec says that it is: then these are times of storage.
        return 0 < delay and (self.depth is None or delay <= self.depth)


def holds_idr(packet: Any, extradata: bytes | None) -> bool:
    """Whether a packet of H.264 holds a picture of type IDR, at which every decoder can start.

    Other packets may be marked as keyframes too: from those of a periodic intra refresh on, the picture builds up.
    """
    content = bytes(packet)
    if not extradata or extradata[0] != 1:  # units behind start codes
        return any(match[1][0] & 0x1F == _IDR for match in _UNIT.finditer(content))
    width, place = (extradata[4] & 3) + 1, 0  # units behind their lengths
    while place + width < len(content):
        if content[place + width] & 0x1F == _IDR:
            return True
        place += width + int.from_bytes(content[place:place + width], 'big')
    return False
