# Native at 256 pixels; rotary positions fit any grid.
teacher = dict(
    type='TimmTeacher',
    model='vit_base_patch16_dinov3.lvd1689m',
    model_args=dict(img_size=224),
    output='cls',
    name='dinov3_vit_b16',
)
