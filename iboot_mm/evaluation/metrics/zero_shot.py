"""Zero-shot classification: videos against names of classes, in the space that a student shares with its teacher."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from mmaction.registry import METRICS, MODELS
from torch import Tensor

from ...datasets.benchmarks.annotation import read_lines
from ...models.teachers.text import ACTION_TEMPLATES, class_vectors
from ...stores.arrays import array_header
from .base import label_names, stack_labels
from .feature_metric import FeatureMetric, result_key


@METRICS.register_module()
class ZeroShotMetric(FeatureMetric):
    """Accuracy of the class whose vector has the highest cosine with a video's feature; no label is used to train.

    The features must be in the space of the vectors: those of
    :class:`~iboot_mm.models.JointSpaceEncoder` with a teacher of CLIP's kind and the vectors of the same
    model's text tower. (Or those of any teacher, and ``embeddings`` that stand for its classes.) Videos of a gallery
    are not scored. Results: ``zero_shot/top1`` and ``zero_shot/top5`` in [0, 1], as ``<name>/zero_shot/...`` for a
    named label.

    Example:
        >>> test_evaluator = dict(
        ...     type='ZeroShotMetric', class_names='data/kinetics400/label_map.txt',
        ...     text=dict(type='OpenCLIPText', model='ViT-B-16', pretrained='openai'))

    Args:
        class_names: C names in order of the class index, or a file with one a line. None with ``embeddings``.
        text: Config of the text tower.
        templates: Sentences around a name, averaged.
        embeddings: File (``.npy``) of class vectors ``(C, D)``, of any length, instead of names and text.
        label: Which label the classes are of, where videos have several.
        collect_device: As in mmengine's ``BaseMetric``.
        prefix: As in mmengine's ``BaseMetric``.

    Raises:
        ValueError: neither text nor embeddings or both, or a file that holds something else.
        FileNotFoundError: there is no such file.
    """

    title = 'Zero-shot'

    def __init__(self, class_names: str | Sequence[str] | None = None, text: dict | None = None,
                 templates: Sequence[str] = ACTION_TEMPLATES, embeddings: str | None = None, label: str | None = None,
                 collect_device: str = 'cpu', prefix: str | None = None) -> None:
        super().__init__(collect_device, prefix)
        if (embeddings is None) == (text is None or class_names is None):
            raise ValueError('ZeroShotMetric needs either class_names and text, or embeddings')
        self.label = label
        self.templates = tuple(templates)
        # All that can be missing is looked for now, not after the videos were encoded.
        self.vectors = None if embeddings is None else read_vectors(embeddings)
        self.class_names = read_names(class_names) if isinstance(class_names, str) else class_names
        self.text = None if text is None else MODELS.build(text)

    def score(self, samples: list[dict]) -> dict[str, float]:
        """See the class.

        Raises:
            ValueError: no video to classify, no such label, features of another width than the class vectors', or a
                class beyond the named ones.
        """
        queries = [sample for sample in samples if sample['role'] != 'gallery']
        if not queries:
            raise ValueError('there is no readable video to classify: check root and ann_file of test_dataloader')
        name = self._label_of(queries)
        if self.vectors is None:
            self.vectors = class_vectors(self.text, self.class_names, self.templates)
        features = F.normalize(torch.stack([s['view_features'].mean(0) for s in queries]), dim=1)  # (N, D)
        labels = stack_labels(queries, name)
        self._check(features, labels, queries)
        ranked = (features @ self.vectors.T).topk(min(5, len(self.vectors)), dim=1).indices  # (N, 5)
        hits = ranked == labels[:, None]
        return {result_key(name, f'zero_shot/top{k}'): hits[:, :k].any(1).float().mean().item() for k in (1, 5)}

    def _label_of(self, queries: list[dict]) -> str:
        names = label_names(queries)
        name = names[0] if self.label is None and len(names) == 1 else self.label
        if name not in names:
            raise ValueError(f'the videos have the labels {names}: set label= to the one that the classes are of')
        return name

    def _check(self, features: Tensor, labels: Tensor, queries: list[dict]) -> None:
        if features.shape[1] != self.vectors.shape[1]:
            raise ValueError(f'the features have width {features.shape[1]} and the class vectors '
                             f"{self.vectors.shape[1]}: name the text tower of the network's teacher")
        if labels.max() >= len(self.vectors):
            raise ValueError(f"{queries[int(labels.argmax())]['filename']} is of class {int(labels.max())}, but there "
                             f'are names for {len(self.vectors)}: the names are not those of this list')


def read_names(path: str) -> list[str]:
    """Class names, one a line."""
    if not Path(path).is_file():
        raise FileNotFoundError(f'there is no list of class names {path}: write one name a line, in order of the index')
    names = read_lines(Path(path))
    if not names:
        raise ValueError(f'{path} holds no class name')
    return names


def read_vectors(path: str) -> Tensor:
    """Class vectors of a ``.npy`` file, each divided by its length: ``(C, D)``, float32."""
    if not Path(path).is_file():
        raise FileNotFoundError(f'there is no file of class vectors {path}')
    shape, *_ = array_header(path)
    if len(shape) != 2 or not shape[0]:
        raise ValueError(f'{path} holds an array of shape {shape}, not class vectors (C, D)')
    vectors = torch.from_numpy(np.load(path, allow_pickle=False)).float()
    return F.normalize(vectors, dim=1)
