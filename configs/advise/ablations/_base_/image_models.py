# The image models of Tables 4 and 5, at the paper's sizes.
clip_l14 = dict(type='OpenCLIPTeacher', model='ViT-L-14', pretrained='openai', name='clip_vit_l14')
mae = dict(type='TimmTeacher', model='vit_large_patch16_224.mae', name='mae_vit_l16')
dinov2 = dict(type='TimmTeacher', model='vit_large_patch14_dinov2.lvd142m', model_args=dict(img_size=224),
              name='dinov2_vit_l14')
