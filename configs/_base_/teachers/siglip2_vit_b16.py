teacher = dict(type='OpenCLIPTeacher', model='ViT-B-16-SigLIP2', pretrained='webli', name='siglip2_vit_b16')
