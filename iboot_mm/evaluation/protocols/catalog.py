"""The evaluations that papers on video self-supervision report: which config runs each, and the paper's figure.

Figures are those of iBoot (Saleh et al., 2022), in percent, for Slow R50 8x8 pre-trained on K400 with CLIP ViT-B/16
for 200 epochs; none of them is ours. Where the paper has none, there is none; where it does not say which of two
variants it measured (BN of the linear classifier, frames of SSv2), its figure stands beside both.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Protocol:
    """One row of the results.

    Attributes:
        name: What ``tools/evaluate.py --protocols`` calls it.
        title: What it measures, with the setting that the figure depends on.
        configs: Files below ``configs/``; with several, the figures are averaged (the splits of UCF101 and HMDB51).
        metrics: Of ``tools/test.py``'s figures those to report, the first of which stands beside the paper's; a name
            without a label stands for every label's (``digit/knn_top1``).
        trains: Whether the config trains a network; then that network is tested, else the checkpoint is.
        weights_of: Name of the protocol whose trained network is tested here under other views.
        subset: Share of each class's labels that training sees.
        own_clips: Whether its clips stay its own where small recipes show them as the network was pre-trained on.
        paper: The paper's figure.
        source: Where the paper has it.
    """

    name: str
    title: str
    configs: tuple[str, ...]
    metrics: tuple[str, ...]
    trains: bool = False
    weights_of: str | None = None
    subset: float | None = None
    own_clips: bool = False
    paper: float | None = None
    source: str = ''


ACCURACY = ('acc/top1', 'acc/top5')
RECALL = ('retrieval/R@1', 'retrieval/R@5', 'retrieval/R@10', 'retrieval/R@20')
ORDER = tuple(f'order/{figure}_{order}' for order in ('forward', 'reversed', 'shuffled', 'frozen')
              for figure in ('knn_top1', 'change')) + ('order/change_other_video', )


# iBoot's paper has neither; recipes and figures are the study's (Table 10): configs/baselines/README.md.
STUDY = 'baselines/downstream'
AVA = Protocol('ava', 'action detection, AVA v2.2, 60 classes, IoU .5, one clip', (f'{STUDY}/finetune_ava.py', ),
               ('ava/mAP', ), trains=True)
CHARADES = Protocol('charades', 'fine-tuning, Charades, mean AP, 16x8, 10 x 3 views',
                    (f'{STUDY}/finetune_charades.py', ), ('acc/mean_average_precision', ), trains=True)


def _splits(dataset: str, folder: str = 'downstream') -> tuple[str, ...]:
    return tuple(f'{folder}/finetune_{dataset}_split{split}.py' for split in (1, 2, 3))


PAPER_PROTOCOLS = (
    Protocol('knn', 'k-NN, K400, one clip, k = 20, T = .07', ('downstream/knn_k400.py', ), ('knn_top1', ),
             paper=56.2, source='Table 6'),
    Protocol('linear', 'linear, K400, frozen BN, 10 x 3 views', ('downstream/linear_k400.py', ), ACCURACY, trains=True,
             paper=71.8, source='Table 10'),
    Protocol('linear_adapting', 'linear, K400, adapting BN, 10 x 3 views', ('downstream/linear_k400_adapting_bn.py', ),
             ACCURACY, trains=True, paper=71.8, source='Table 10'),
    Protocol('linear_fast', 'linear on stored features, K400, one clip', ('downstream/linear_fast_k400.py', ),
             ('linear/top1', 'linear/top5')),
    Protocol('ucf101', 'fine-tuning, UCF101 split 1, 10 x 3 views', _splits('ucf101')[:1], ACCURACY, trains=True,
             paper=95.0, source='Table 10'),
    Protocol('ucf101_3splits', 'fine-tuning, UCF101, mean of 3 splits', _splits('ucf101'), ACCURACY, trains=True,
             paper=94.5, source='Table 10'),
    Protocol('ucf101_32frames', 'fine-tuning, UCF101 split 1, 32 frames, 10 x 3 views',
             ('downstream/finetune_ucf101_split1_32frames.py', ), ACCURACY, trains=True, paper=95.2,
             source='section 4.4'),
    Protocol('hmdb51', 'fine-tuning, HMDB51 split 1, 10 x 3 views', _splits('hmdb51')[:1], ACCURACY, trains=True,
             paper=71.6, source='Table 10'),
    Protocol('hmdb51_3splits', 'fine-tuning, HMDB51, mean of 3 splits', _splits('hmdb51'), ACCURACY, trains=True,
             paper=70.2, source='Table 10'),
    Protocol('ssv2', 'fine-tuning, SSv2, 8x8, 1 view', ('downstream/finetune_ssv2_8x8_1view.py', ), ACCURACY,
             trains=True, paper=55.8, source='Table 10'),
    Protocol('ssv2_3views', 'fine-tuning, SSv2, 8x8, 3 views', ('downstream/finetune_ssv2_8x8_3views.py', ), ACCURACY,
             weights_of='ssv2', paper=61.5, source='Table 10'),
    Protocol('ssv2_16x8', 'fine-tuning, SSv2, 16x8, 3 views', ('downstream/finetune_ssv2_16x8_3views.py', ), ACCURACY,
             trains=True, paper=63.0, source='Table 10'),
    Protocol('ssv2_dense', 'fine-tuning, SSv2, 8x8 dense, 1 view', ('downstream/finetune_ssv2_8x8_dense.py', ),
             ACCURACY, trains=True, paper=55.8, source='Table 10'),
    Protocol('ssv2_dense_3views', 'fine-tuning, SSv2, 8x8 dense, 3 views',
             ('downstream/finetune_ssv2_8x8_dense_3views.py', ), ACCURACY, weights_of='ssv2_dense', paper=61.5,
             source='Table 10'),
    Protocol('ssv2_16x8_dense', 'fine-tuning, SSv2, 16x8 dense, 3 views',
             ('downstream/finetune_ssv2_16x8_dense_3views.py', ), ACCURACY, trains=True, paper=63.0, source='Table 10'),
    Protocol('k400', 'fine-tuning, K400, 10 x 3 views', ('downstream/finetune_k400.py', ), ACCURACY, trains=True),
    Protocol('diving48', 'fine-tuning, Diving48', ('downstream/finetune_diving48.py', ), ACCURACY, trains=True),
    AVA, CHARADES,
    Protocol('semi_1pct', 'fine-tuning, 1 % of K400', ('downstream/semi_k400_1pct.py', ), ACCURACY, trains=True,
             subset=.01, paper=40.1, source='Table 11'),
    Protocol('semi_10pct', 'fine-tuning, 10 % of K400', ('downstream/semi_k400_10pct.py', ), ACCURACY, trains=True,
             subset=.1, paper=61.7, source='Table 11'),
    Protocol('retrieval_ucf101', 'retrieval, UCF101 split 1', ('downstream/retrieval_ucf101.py', ), RECALL),
    Protocol('retrieval_hmdb51', 'retrieval, HMDB51 split 1', ('downstream/retrieval_hmdb51.py', ), RECALL),
    Protocol('zero_shot', 'zero-shot, K400', ('downstream/zero_shot_k400.py', ), ('zero_shot/top1', 'zero_shot/top5')),
    Protocol('zero_shot_ucf101', 'zero-shot, UCF101', ('downstream/zero_shot_ucf101.py', ),
             ('zero_shot/top1', 'zero_shot/top5')),
    Protocol('zero_shot_hmdb51', 'zero-shot, HMDB51', ('downstream/zero_shot_hmdb51.py', ),
             ('zero_shot/top1', 'zero_shot/top5')),
    Protocol('order', 'order sensitivity, SSv2', ('downstream/order_ssv2.py', ), ORDER),
    Protocol('order_ucf101', 'order sensitivity, UCF101 split 1', ('downstream/order_ucf101.py', ), ORDER),
)


def _mini(name: str) -> tuple[str, ...]:
    return (f'mini/downstream/{name}_digits.py', )


# The same at the size of the quickstart; on the moving digits, or on labelled videos of one's own.
MINI_PROTOCOLS = (
    Protocol('knn', 'k-NN, one clip, k = 20 at most, T = .07', _mini('knn'), ('knn_top1', )),
    Protocol('linear', 'linear, frozen BN', _mini('linear'), ACCURACY, trains=True),
    Protocol('linear_fast', 'linear on stored features', _mini('linear_fast'), ('linear/top1', 'linear/top5')),
    Protocol('finetune', 'fine-tuning', _mini('finetune'), ACCURACY, trains=True),
    Protocol('semi_10pct', 'fine-tuning, 10 % of the labels', _mini('semi'), ACCURACY, trains=True, subset=.1),
    Protocol('retrieval', 'retrieval', _mini('retrieval'), RECALL),
    Protocol('zero_shot', 'zero-shot', _mini('zero_shot'), ('zero_shot/top1', 'zero_shot/top5')),
    Protocol('order', 'order sensitivity', _mini('order'), ORDER),
    Protocol('ava', 'action detection, IoU .5, one clip', _mini('ava'), AVA.metrics, trains=True, own_clips=True),
    Protocol('charades', 'fine-tuning on many labels, mean AP', _mini('charades'), CHARADES.metrics, trains=True,
             own_clips=True),
)


# With the schedules of the large-scale study, whose figures differ from method to method: configs/baselines/README.md.
STUDY_PROTOCOLS = (
    Protocol('supervised', 'from random weights, K400, 200 epochs, 10 x 3 views', ('downstream/supervised_k400.py', ),
             ACCURACY, trains=True),
    Protocol('linear', 'linear, K400, adapting BN, 60 epochs, 10 x 3 views', (f'{STUDY}/linear_k400.py', ), ACCURACY,
             trains=True),
    Protocol('linear_k600', 'linear, K600, adapting BN, 60 epochs, 10 x 3 views', (f'{STUDY}/linear_k600.py', ),
             ACCURACY, trains=True),
    Protocol('linear_k700', 'linear, K700, adapting BN, 60 epochs, 10 x 3 views', (f'{STUDY}/linear_k700.py', ),
             ACCURACY, trains=True),
    Protocol('ucf101', 'fine-tuning, UCF101 split 1, 200 epochs, 10 x 3 views', _splits('ucf101', STUDY)[:1], ACCURACY,
             trains=True),
    Protocol('ucf101_3splits', 'fine-tuning, UCF101, 200 epochs, mean of 3 splits', _splits('ucf101', STUDY), ACCURACY,
             trains=True),
    Protocol('hmdb51', 'fine-tuning, HMDB51 split 1, 200 epochs, 10 x 3 views', _splits('hmdb51', STUDY)[:1], ACCURACY,
             trains=True),
    Protocol('hmdb51_3splits', 'fine-tuning, HMDB51, 200 epochs, mean of 3 splits', _splits('hmdb51', STUDY), ACCURACY,
             trains=True),
    Protocol('ssv2', 'fine-tuning, SSv2, 8 segments, 22 epochs, 1 view', (f'{STUDY}/finetune_ssv2.py', ), ACCURACY,
             trains=True),
    AVA, CHARADES,
)

# AdViSe's: the image model stays frozen. The paper's figures, by image model and data: configs/advise/README.md.
ADVISE_PROTOCOLS = tuple(
    Protocol(name.partition('_')[0], f'fine-tuning the temporal module, {title}',
             (f'advise/downstream/finetune_{name}.py', ), ACCURACY, trains=True)
    for name, title in (('ucf101_split1', 'UCF101 split 1, 10 x 3 views'),
                        ('hmdb51_split1', 'HMDB51 split 1, 10 x 3 views'), ('diving48', 'Diving48, 1 view'),
                        ('ssv2', 'SSv2, 1 view')))
RECIPES = dict(paper=PAPER_PROTOCOLS, study=STUDY_PROTOCOLS, advise=ADVISE_PROTOCOLS, mini=MINI_PROTOCOLS)


def choose(protocols: tuple[Protocol, ...], names: list[str]) -> list[Protocol]:
    """The protocols of these names, in this order; those whose network another tests come before it.

    Raises:
        ValueError: there is no such protocol, or one that needs another's network comes without it.
    """
    known = {protocol.name: protocol for protocol in protocols}
    for name in names:
        if name not in known:
            raise ValueError(f'there is no protocol {name!r}; choose from {", ".join(known)}')
        needed = known[name].weights_of
        if needed is not None and needed not in names[:names.index(name)]:
            raise ValueError(f'{name} tests the network that {needed} trains: name {needed} before it')
    return [known[name] for name in dict.fromkeys(names)]
