"""Draw what a motion target says of videos: one row of pictures each.

    python tools/visualization/correspondences.py VIDEO ... --config configs/mini/iboot_motion_r18_digits.py --out a.png

From the left: the clip's first and last frame; its dynamic image; how much each place of the teacher's map changes,
with where it goes on average; and the distribution over displacements, which is all that the student hears of
(docs/motion_target.md). The config names the teacher and how clips are cut.
"""

import argparse
import io
from pathlib import Path

import iboot_mm  # noqa: F401  (before any config is read)

import torch
from mmaction.registry import MODELS, TRANSFORMS
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.registry import init_default_scope
from torch import Tensor

from iboot_mm.datasets import UnreadableVideo
from iboot_mm.models.encoders import motion_teacher
from iboot_mm.models.modules.motion import displacements, dynamic_image, pair_correspondences
from iboot_mm.models.teachers import FrozenTeacher
from iboot_mm.stores.atomic_files import AtomicLocalBackend

TITLES = ('first frame', 'last frame', 'dynamic image', 'change, and where it goes', 'correspondences')


def read_clip(video: str, cfg: Config) -> Tensor:
    """The clip ``(1, 3, T, H, W)`` in [0, 1] that evaluations cut from a video."""
    pipeline = Compose([TRANSFORMS.build(step) for step in cfg.val_pipeline])
    return pipeline(dict(filename=video))['inputs'][:1].float() / 255


def draw_row(axes: list, clip: Tensor, teacher: FrozenTeacher) -> None:
    """One video's pictures; ``clip`` is ``(1, 3, T, H, W)``, the teacher is shown correspondences."""
    teacher(clip)  # moves it to where the clip is
    shown = teacher._shown
    with torch.no_grad():
        total, probabilities, weights = pair_correspondences(shown.maps(teacher, clip), **shown.options)
    for axis, picture in zip(axes, (clip[0, :, 0], clip[0, :, -1], dynamic_image(clip)[0])):
        axis.imshow(picture.permute(1, 2, 0).numpy(), interpolation='nearest')
    steps = displacements(shown.options['reach']).float()
    change = weights[0].mean(0)  # (h, w)
    mean = torch.einsum('pkhw,kd->dhw', probabilities[0] * weights[0][:, None], steps) / weights[0].sum(0)
    axes[3].imshow(change.numpy(), cmap='magma')
    rows, columns = torch.meshgrid(*(torch.arange(n) for n in change.shape), indexing='ij')
    moved = change > change.mean()
    axes[3].quiver(columns[moved], rows[moved], mean[1][moved], mean[0][moved], color='#7fd6c2', angles='xy',
                   scale_units='xy', scale=.5, width=.012)
    side = 2 * shown.options['reach'] + 1
    axes[4].imshow(total[0].view(side, side).numpy(), cmap='magma', vmin=0)
    axes[4].plot(side // 2, side // 2, '+', color='white', alpha=.6)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('videos', nargs='+')
    parser.add_argument('--config', required=True, help='of a training with a motion target of correspondences')
    parser.add_argument('--out', type=Path, required=True, help='.png or .svg')
    args = parser.parse_args()
    if args.out.suffix not in ('.png', '.svg'):
        parser.error(f'--out: {args.out} is neither a .png nor an .svg')
    cfg = Config.fromfile(args.config)
    init_default_scope('mmaction')
    if cfg.model.get('motion') is None:
        parser.error(f'--config: {args.config} has no motion target: set model.motion, see docs/motion_target.md')
    import matplotlib
    matplotlib.use('Agg')
    from matplotlib import pyplot as plt

    try:
        teacher = MODELS.build(motion_teacher(cfg.model.teacher, cfg.model.motion))
        figure, axes = plt.subplots(len(args.videos), 5, figsize=(7.5, 1.6 * len(args.videos) + .3), squeeze=False)
        for row, video in zip(axes, args.videos, strict=True):
            draw_row(row, read_clip(video, cfg), teacher)
            row[0].set_ylabel(Path(video).stem.rpartition('_')[2], fontsize=8)
    except (OSError, ValueError, UnreadableVideo) as error:
        raise SystemExit(f'correspondences: {error}') from None
    for axis, title in zip(axes[0], TITLES, strict=True):
        axis.set_title(title, fontsize=8)
    for axis in axes.flat:
        axis.set(xticks=[], yticks=[])
    figure.tight_layout(pad=.4)
    buffer = io.BytesIO()
    figure.savefig(buffer, format=args.out.suffix[1:], dpi=90)
    AtomicLocalBackend().put(buffer.getvalue(), args.out)
    print(args.out)


if __name__ == '__main__':
    main()
