"""How far a file should reach, by the outermost boxes of its container.

A header's count of frames or seconds alone does not tell whether a file was cut off: AVI counts frames that were
dropped while recording, and WebM's length is that of the longest stream. A box that ends behind the file does.
"""

from typing import BinaryIO

from ..sources import open_source, stat_source

# Outermost boxes of MP4 and MOV; others are what somebody has appended to the file.
_MP4_BOXES = (b'ftyp', b'moov', b'mdat', b'moof', b'free', b'skip', b'wide', b'mfra', b'sidx', b'ssix', b'styp',
              b'uuid', b'meta', b'pnot', b'udta', b'prft', b'emsg', b'pdin', b'PICT')
_EBML, _SEGMENT = 0x1A45DFA3, 0x18538067
# Outermost objects of ASF: header, data, and two kinds of index.
_ASF_OBJECTS = tuple(bytes.fromhex(start) for start in ('3026b275', '3626b275', '90080033', 'd3292d33', 'fea103d6'))
_TS_PACKETS = (188, 192, 204)  # bytes: plain, with a time code (M2TS, MTS), with error correction
_TS_MARK = 0x47  # with which each of them starts, a time code aside


def ends_early(path: str, format_name: str) -> bool | None:
    """Whether the container's outermost structure goes on behind the end of the file.

    Args:
        path (str): The file.
        format_name (str): FFmpeg's name of its format, such as 'mov,mp4,m4a,3gp,3g2,mj2'.

    Returns:
        bool | None: None where the container does not say how long it is.
    """
    walk = next((walk for name, walk in _WALKS.items() if format_name.startswith(name)), None)
    if walk is None:
        return None
    with open_source(path) as file:
        return walk(file, stat_source(path).size)


def _mp4(file: BinaryIO, length: int) -> bool:
    position = 0
    while position + 8 <= length:
        file.seek(position)
        header = file.read(16)
        size = int.from_bytes(header[:4], 'big')
        if size == 1:  # the size follows in eight bytes
            size = int.from_bytes(header[8:16], 'big')
        if size == 0 or header[4:8] not in _MP4_BOXES:  # up to the end of the file, or no box at all
            return False
        position += max(size, 8)
    return position > length


def _riff(file: BinaryIO, length: int) -> bool:
    position = 0
    while position + 8 <= length:  # more than 1 GB: one RIFF behind the other
        file.seek(position)
        header = file.read(8)
        if header[:4] != b'RIFF':
            return False
        size = int.from_bytes(header[4:], 'little')
        position += 8 + size + size % 2
    return position - length > 1  # a last byte of padding may be left out


def _asf(file: BinaryIO, length: int) -> bool:
    position = 0
    while position + 24 <= length:
        file.seek(position)
        header = file.read(24)
        if header[:4] not in _ASF_OBJECTS:
            return False
        position += max(int.from_bytes(header[16:], 'little'), 24)
    return position > length


def _matroska(file: BinaryIO, length: int) -> bool | None:
    position = 0
    while position < length:
        file.seek(position)
        header = file.read(12)
        element, id_bytes = _variable_length_number(header, keep_marker=True)
        size, size_bytes = _variable_length_number(header[id_bytes:])
        if element not in (_EBML, _SEGMENT):
            return False
        if size == (1 << 7 * size_bytes) - 1:  # a live recording: unknown
            return None
        position += id_bytes + size_bytes + size
    return position > length


def _variable_length_number(content: bytes, keep_marker: bool = False) -> tuple[int, int]:
    """An EBML number and how many bytes it takes: one more than its first byte has leading zeros."""
    count = 9 - content[0].bit_length() if content else 1
    number = int.from_bytes(content[:count], 'big')
    return number if keep_marker else number & ~(1 << 7 * count), count


def _transport_stream(file: BinaryIO, length: int) -> bool:
    file.seek(0)
    start = file.read(8 * max(_TS_PACKETS))
    for size in _TS_PACKETS:
        for offset in range(size):
            marks = start[offset::size]
            if len(marks) > 1 and set(marks) == {_TS_MARK}:
                last = length - 1 - (length - 1 - offset) % size
                file.seek(last)
                # Where no packet starts, somebody has appended something else.
                return length - last < min(_TS_PACKETS) and file.read(1)[0] == _TS_MARK
    return False


_WALKS = {'mov': _mp4, 'avi': _riff, 'asf': _asf, 'matroska': _matroska, 'mpegts': _transport_stream}
