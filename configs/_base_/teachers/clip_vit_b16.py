teacher = dict(type='OpenCLIPTeacher', model='ViT-B-16', pretrained='openai', name='clip_vit_b16')
