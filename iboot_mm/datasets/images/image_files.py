"""Images with classes in files."""

from collections.abc import Sequence

from PIL import Image
from torch.utils.data import Dataset

from ..decoders import UnreadableVideo
from ..decoders.base import first_line, open_video
from ..decoders.frames import IMAGE_EXTENSIONS


class ImageFiles(Dataset):
    """Image files and their classes, read when they are asked for; of a video, its middle frame.

    Args:
        entries: ``(path, class)``.
    """

    def __init__(self, entries: Sequence[tuple[str, int]]) -> None:
        self.entries = list(entries)

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, index: int) -> tuple[Image.Image, int]:
        path, label = self.entries[index]
        try:
            with open_video(path, 'picture' if path.lower().endswith(IMAGE_EXTENSIONS) else 'auto') as video:
                return Image.fromarray(video.read([video.num_frames // 2])[0]), label
        except (OSError, UnreadableVideo) as error:
            reason = getattr(error, 'reason', '') or first_line(error)
            raise ValueError(f'{path} cannot be read ({reason}): replace it, or take it out of its task') from None
