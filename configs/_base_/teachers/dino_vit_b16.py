teacher = dict(type='TimmTeacher', model='vit_base_patch16_224.dino', output='cls', name='dino_vit_b16')
