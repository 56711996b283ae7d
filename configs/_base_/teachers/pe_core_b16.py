teacher = dict(type='OpenCLIPTeacher', model='PE-Core-B-16', pretrained='meta', name='pe_core_b16')
