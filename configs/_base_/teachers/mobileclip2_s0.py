teacher = dict(type='OpenCLIPTeacher', model='MobileCLIP2-S0', pretrained='dfndr2b', name='mobileclip2_s0')
