teacher = dict(type='OpenCLIPTeacher', model='EVA02-B-16', pretrained='merged2b_s8b_b131k', name='eva02_vit_b16')
