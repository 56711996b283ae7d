teacher = dict(type='TimmTeacher', model='deit_base_patch16_224.fb_in1k', output='cls', name='deit_vit_b16')
