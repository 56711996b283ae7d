teacher = dict(type='OpenCLIPTeacher', model='ViT-B-16', pretrained='openai', output='cls', name='clip_vit_b16_cls768')
