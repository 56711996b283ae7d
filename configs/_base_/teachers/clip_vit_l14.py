teacher = dict(type='OpenCLIPTeacher', model='ViT-L-14', pretrained='openai', name='clip_vit_l14')
