teacher = dict(type='OpenCLIPTeacher', model='ViT-B-32', pretrained='openai', name='clip_vit_b32')
