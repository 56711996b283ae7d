"""Features of videos in the plane (AdViSe, section 4.3): t-SNE (van der Maaten and Hinton, 2008), scikit-learn's."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch.nn.functional as F
from torch import Tensor

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIDE = 2.9  # inches of a panel


def draw_tsne(features: dict[str, Tensor], labels: Sequence[int], seed: int = 0) -> 'Figure':
    """A panel for each network, a dot for each video, a colour for each class.

    Distances between far groups, and the sizes of groups, say nothing; only what lies side by side does.

    Args:
        features: Name of a network to its features ``(N, D)``, which are scaled to unit length as for k-NN.
        labels: N classes.
        seed: Of the embedding.

    Returns:
        A matplotlib figure.

    Raises:
        ModuleNotFoundError: there is no scikit-learn.
        ValueError: fewer than 4 videos.
    """
    from matplotlib import colormaps
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from sklearn.manifold import TSNE

    if len(labels) < 4:
        raise ValueError(f't-SNE wants 4 videos at least, got {len(labels)}')
    classes = sorted(set(labels))
    palette = colormaps['tab10' if len(classes) <= 10 else 'tab20']
    colours = {label: palette(place % palette.N) for place, label in enumerate(classes)}
    figure = Figure(figsize=(SIDE * len(features), SIDE + .6), facecolor='white', layout='constrained')
    for axis, (name, values) in zip(figure.subplots(1, len(features), squeeze=False)[0], features.items(), strict=True):
        embedding = TSNE(perplexity=min(30, (len(labels) - 1) / 3), init='pca', random_state=seed)
        places = embedding.fit_transform(F.normalize(values.float(), dim=1).cpu().numpy())
        axis.scatter(*places.T, s=9, c=[colours[label] for label in labels], linewidths=0)
        axis.set_title(name, loc='left', fontsize=10)
        axis.set_xticks([])
        axis.set_yticks([])
        axis.set_aspect('equal', adjustable='datalim')
    dots = [Line2D([], [], marker='o', linestyle='', markersize=4, color=colours[label]) for label in classes]
    figure.legend(dots, [str(label) for label in classes], loc='outside lower center', ncols=min(len(classes), 20),
                  fontsize=8, frameon=False, handletextpad=.1, columnspacing=1)
    return figure
