"""What makes MMAction2's recognizers wait for a GPU at every step."""

from collections.abc import Callable
from typing import Any

from .replacing import replace


def apply() -> None:
    """Mends what is below."""
    count_hits_on_the_device()
    copy_without_waiting()


def count_hits_on_the_device() -> None:
    """mmaction2 1.2.0: heads copy scores and labels to the host at every step and count their hits in NumPy.

    So the host waits for the whole forward pass, and under bfloat16, which NumPy lacks, the first step is an error.
    Goes when a release counts on the device.
    """
    from mmaction.models.heads.base import BaseHead

    def make(original: Callable) -> Callable:
        def loss_by_feat(self: Any, cls_scores: Any, data_samples: Any) -> Any:
            import torch

            labels = torch.stack([sample.gt_label for sample in data_samples]).to(cls_scores.device).squeeze()
            one = len(cls_scores) == 1 and labels.ndim == 1 and len(labels) == self.num_classes  # soft, of one clip
            labels = labels.unsqueeze(0) if labels.ndim == 0 or one else labels
            losses, soft = {}, cls_scores.size() == labels.size()
            if not soft:
                losses.update(hits(cls_scores.detach(), labels, self.topk))
            if self.label_smooth_eps != 0:
                labels = labels if soft else torch.nn.functional.one_hot(labels, num_classes=self.num_classes)
                labels = (1 - self.label_smooth_eps) * labels + self.label_smooth_eps / self.num_classes
            loss = self.loss_cls(cls_scores, labels)
            losses.update(loss if isinstance(loss, dict) else dict(loss_cls=loss))
            return losses
        return loss_by_feat

    replace(BaseHead, 'loss_by_feat', make)


def hits(scores: Any, labels: Any, topk: tuple[int, ...]) -> dict:
    """Shares of samples whose label ``(N,)`` is among the k best of the scores ``(N, C)``, as ``top{k}_acc``."""
    right = scores.topk(min(max(topk), scores.shape[1])).indices == labels[:, None]  # (N, k)
    return {f'top{k}_acc': right[:, :k].any(dim=1).float().mean() for k in topk}


def copy_without_waiting() -> None:
    """mmaction2 1.2.0: its preprocessor has no ``non_blocking``, so the host waits once for each clip and label.

    Goes when a release passes it on.
    """
    from mmaction.models.data_preprocessors import ActionDataPreprocessor

    def make(original: Callable) -> Callable:
        def init(self: Any, *args: Any, **kwargs: Any) -> None:
            original(self, *args, **kwargs)
            self._non_blocking = True
        return init

    replace(ActionDataPreprocessor, '__init__', make)
