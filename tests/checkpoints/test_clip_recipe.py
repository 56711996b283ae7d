from mmengine.config import Config
from mmengine.dataset import Compose

from iboot_mm.checkpoints.clip_recipe import clip_pipeline, clip_recipe


def test_what_only_training_varies_stays_out_of_evaluation():
    def recipe(**training):
        sampler = dict(type='SampleViews', num_views=2, clip_len=16, frame_interval=4, **training)
        loader = dict(dataset=dict(pipeline=[sampler, dict(type='CropViews', size=112, short_side=128)]))
        return clip_recipe(Config(dict(train_dataloader=loader)), 'a config')

    clip = recipe(fps_jitter=.5, max_span=36., same_clip=True)
    assert clip == recipe() == dict(clip_len=16, frame_interval=4, target_fps=None, sampling='dense', size=112,
                                    short_side=128)
    sampler = Compose(clip_pipeline(clip)).transforms[1]
    assert (sampler.fps_jitter, sampler.max_span, sampler.same_clip) == (0, None, False)


def test_a_clip_of_shots_is_one_shot():
    pipeline = [dict(type='SampleShots', num_shots=4, shot_len=6, target_fps=1), dict(type='CropViews', area=(.1, 1.))]
    clip = clip_recipe(Config(dict(train_dataloader=dict(dataset=dict(pipeline=pipeline)))), 'a config')
    assert clip == dict(clip_len=6, frame_interval=1, target_fps=1, sampling='dense', size=224, short_side=224)
