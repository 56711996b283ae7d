"""Which activities a clip shows (large-scale study, appendix B.4)."""

import torch
from mmaction.registry import TRANSFORMS

from ..decoders import UnreadableVideo
from .packing import PackViews


@TRANSFORMS.register_module()
class PackActivities(PackViews):
    """`PackViews` with a `gt_label` of 0 and 1 for each class, (num_classes,).

    In training the label has the activities that go on at some moment between the first and the last frame of the clip,
    in a test all of the video. The study does not say; its framework, PySlowFast, does it so.

    Required keys: those of `PackViews`, `activities` of `ActivityVideos`, `frame_inds` (V, T), `fps`.

    Args:
        num_classes (int): Activities.
        test_mode (bool): Whether all of the video count.

    Raises:
        UnreadableVideo: In training, if the frame rate is unknown.
    """

    def __init__(self, num_classes: int = 157, test_mode: bool = False) -> None:
        super().__init__()
        self.num_classes, self.test_mode = num_classes, test_mode

    def transform(self, results: dict) -> dict:
        """See the class."""
        packed = super().transform(results)
        shown = [label for label, first, last in results['activities'] if self._goes_on(first, last, results)]
        target = torch.zeros(self.num_classes)
        target[shown] = 1
        packed['data_samples'].set_gt_label(target)
        return packed

    def _goes_on(self, first: float, last: float, results: dict) -> bool:
        """Whether an activity counts that lasts from one second to another."""
        if self.test_mode:
            return True
        if not results['fps']:
            raise UnreadableVideo(results['filename'], 'its frame rate, by which activities are found, is unknown')
        seconds = results['frame_inds'] / results['fps']
        return bool(first <= seconds.max() and seconds.min() <= last)

    def __repr__(self) -> str:
        return f'{type(self).__name__}(num_classes={self.num_classes}, test_mode={self.test_mode})'
