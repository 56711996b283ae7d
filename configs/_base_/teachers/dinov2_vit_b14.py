# Native at 518 pixels; its position embedding is resampled to the grid of 224.
teacher = dict(
    type='TimmTeacher',
    model='vit_base_patch14_dinov2.lvd142m',
    model_args=dict(img_size=224),
    output='cls',
    name='dinov2_vit_b14',
)
