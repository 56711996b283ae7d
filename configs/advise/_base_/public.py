# What AdViSe's public code does where its settings or the paper say otherwise: a frame is scaled to 320 x 256, whatever
# its shape, and a square of 224 is cut out at random; no area crop, no gray; its shift of the hue, a tenth of one of
# 255 steps, rounds to none. BN in the head. The image model is fed with ImageNet's mean and standard deviation, CLIP,
# too. Its starts leave room for 16 frames, ours for the 15 of a clip at rate 1.
imagenet = dict(mean=(.485, .456, .406), std=(.229, .224, .225))
public_crop = dict(type='CropViews', size=224, resize=(320, 256), flip_prob=0.)
