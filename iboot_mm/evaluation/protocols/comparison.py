"""One table for what pre-training adds: k-NN of raw pixels, the untrained network, other trained networks, the teacher
and the trained network on the same clips.
"""

from collections.abc import Callable, Iterable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from ...models.encoders.video import VideoEncoder
from ..metrics.base import label_names, stack_labels
from ..metrics.knn import knn_classify, nearest_neighbors

Encoder = Callable[[Tensor], Tensor]
METHODS = dict(IBoot='iBoot', CachedIBoot='iBoot, cached teacher', VideoBYOL='rho-BYOL', VideoMoCo='rho-MoCo',
               VideoSimCLR='rho-SimCLR', VideoSwAV='rho-SwAV',
               ImageTMM='AdViSe')


def raw_pixels(clips: Tensor, side: int = 16) -> Tensor:
    """Clips ``(N, C, T, H, W)`` averaged to ``side`` x ``side`` pixels: ``(N, C T side^2)``, frames in order."""
    return F.adaptive_avg_pool3d(clips, (clips.shape[2], side, side)).flatten(1)


def comparison_encoders(model: VideoEncoder, backbone: dict, seed: int = 0,
                        also: Mapping[str, VideoEncoder] | None = None) -> dict[str, Encoder]:
    """What the table compares: name to a function from clips ``(N, C, T, H, W)`` in [0, 1] to features ``(N, D)``.

    Args:
        model: The trained network, in eval mode; its row comes last and has the name of its method.
        backbone: Config of its backbone, for an untrained twin.
        seed: Of the twin's weights.
        also: Other trained networks by the name of their row, in eval mode.

    Raises:
        ValueError: two rows would have one name.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        twin = VideoEncoder(backbone)
        twin.init_weights()
    twin.to(next(model.parameters()).device).eval()
    teachers = teachers_of(model)
    rows = [('raw pixels', raw_pixels), ('random network', pooled(twin))]
    rows += [(name, pooled(network)) for name, network in (also or {}).items()]
    rows += [('teacher' if len(teachers) == 1 else f'teacher {teacher.name}',
              lambda clips, teacher=teacher: teacher(clips).flatten(1, -2).mean(1)) for teacher in teachers]
    rows.append((method_name(model), pooled(model)))
    motion = getattr(model, 'motion', None)
    if motion is not None and callable(motion.teacher):  # of stored targets it is not there
        rows.insert(-1, (motion.name, motion.targets))
    names = [name for name, _ in rows]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ValueError(f'two rows of the table would be called {twice!r}: give the other network another name')
    return dict(rows)


def teachers_of(model: VideoEncoder) -> list:
    """The image models that a method learns from, or that its backbone stands on."""
    return getattr(model, 'teachers', None) or getattr(model.backbone, 'teachers', [])


def method_name(model: VideoEncoder) -> str:
    """What a network's row is called: as its method, or where it is a backbone alone, as that one's."""
    kinds = type(model).__name__, type(model.backbone).__name__
    return next((METHODS[kind] for kind in kinds if kind in METHODS), kinds[0])


def pooled(network: VideoEncoder) -> Encoder:
    """A network's features, averaged over time."""
    return lambda clips: network.extract_feat(clips).mean(1)


@torch.no_grad()
def encode_dataset(loader: Iterable, preprocess: Callable[[dict], dict], encoders: dict[str, Encoder]
                   ) -> tuple[dict[str, Tensor], list[dict]]:
    """Encodes every readable video once with each encoder; views of a video are averaged.

    Args:
        loader: Gives batches ``dict(inputs, data_samples)``.
        preprocess: The model's data preprocessor.
        encoders: See :func:`comparison_encoders`.

    Returns:
        Features by encoder, each ``(M, D)`` on the CPU, and for each of the M videos ``dict(role, labels, filename)``.
    """
    features, samples = {name: [] for name in encoders}, []
    for batch in loader:
        data = preprocess(batch)
        keep = [i for i, s in enumerate(data['data_samples']) if not s.get('replaced')]
        views = data['inputs'][keep]  # (N, V, C, T, H, W)
        samples += [dict(role=s.role, labels=dict(s.labels), filename=s.filename)
                    for s in (data['data_samples'][i] for i in keep)]
        for name, encode in encoders.items():
            if keep:
                encoded = encode(views.flatten(0, 1)).unflatten(0, views.shape[:2]).mean(1)
                features[name].append(encoded.float().cpu())
    return {name: torch.cat(parts) for name, parts in features.items()}, samples


def knn_table(features: dict[str, Tensor], samples: list[dict], k: int = 20,
              temperature: float = .07) -> dict[str, dict[str, float]]:
    """k-NN top-1 in [0, 1] by row (encoder, and ``chance``) and label; rows are empty without labels.

    ``chance`` is the share of the queries that the gallery's most frequent class takes.
    """
    gallery, query = role_masks(samples)
    table = {'chance': {}}
    for name in label_names(samples):
        labels = stack_labels(samples, name)
        table['chance'][name] = (labels[query] == labels[gallery].mode().values).float().mean().item()
    for row, encoded in features.items():
        table[row] = {}
        for name in label_names(samples):
            labels = stack_labels(samples, name)
            guess = knn_classify(encoded[query], encoded[gallery], labels[gallery], k, temperature)
            table[row][name] = (guess == labels[query]).float().mean().item()
    return table


def find_neighbors(features: Tensor, samples: list[dict], num_queries: int = 12, num_neighbors: int = 6) -> list[dict]:
    """The nearest gallery videos of some queries, which are taken at even distances; a video is no neighbour of itself.

    Args:
        features: ``(M, D)``.
        samples: The M videos, see :func:`encode_dataset`.
        num_queries: Queries to look up.
        num_neighbors: Neighbours of each.

    Returns:
        ``dict(query=sample, neighbors=[dict(sample, similarity=cosine), ...])`` per query.
    """
    gallery, query = role_masks(samples)
    gallery_at, query_at = gallery.nonzero().flatten(), query.nonzero().flatten()
    query_at = query_at[torch.linspace(0, len(query_at) - 1, min(num_queries, len(query_at))).round().long()]
    cosines, indices = nearest_neighbors(features[query_at], features[gallery_at],
                                         min(num_neighbors + 1, len(gallery_at)))
    found = []
    for row, at in enumerate(query_at.tolist()):
        near = [dict(samples[int(gallery_at[i])], similarity=float(c)) for c, i in zip(cosines[row], indices[row])]
        near = [n for n in near if n['filename'] != samples[at]['filename']]
        found.append(dict(query=samples[at], neighbors=near[:num_neighbors]))
    return found


def role_masks(samples: list[dict]) -> tuple[Tensor, Tensor]:
    """Masks ``(M,)`` of gallery and query.

    Raises:
        ValueError: one of them is empty.
    """
    masks = [torch.tensor([s['role'] == role for s in samples], dtype=torch.bool) for role in ('gallery', 'query')]
    for role, mask in zip(('gallery', 'query'), masks):
        if not mask.any():
            raise ValueError(f'there is no readable {role} video: check the {role} list of the config')
    return masks[0], masks[1]
