"""Unpacked archives of the official shape, with a few videos of each benchmark."""

import json
from pathlib import Path

K400_CLASSES = ['air drumming', 'swing dancing', 'swinging legs', *[f'class {i:03d}' for i in range(397)]]
# (class, id, start, end), of which the last has no file
K400_TRAIN = [('swing dancing', '-abcdefghij', 10, 20), ('air drumming', '0123456789A', 3, 13),
              ('swinging legs', '_bcd-fghijk', 1200, 1210), ('air drumming', 'gone_______', 0, 10)]
K400_VAL = [('air drumming', 'valvalvalva', 7, 17)]
UCF_CLASSES = ['ApplyEyeMakeup', 'HandstandPushups', *[f'Zclass{i}' for i in range(99)]]
UCF_VIDEOS = ['ApplyEyeMakeup/v_ApplyEyeMakeup_g01_c01', 'ApplyEyeMakeup/v_ApplyEyeMakeup_g08_c01',
              'HandstandPushups/v_HandStandPushups_g01_c01', 'HandstandPushups/v_HandStandPushups_g09_c02']
HMDB_CLASSES = ['brush_hair', 'cartwheel', *[f'move_{i:02d}' for i in range(49)]]
HMDB_CODES = {  # codes in splits 1 to 3
    'brush_hair': {'April_09_brush_hair_u_nm_np1_ba_goo_0': '102', 'Aussie_brush_hair_f_cm_np2_ri_goo_3': '210'},
    'cartwheel': {'(Rad)Schlag_die_Bank!_cartwheel_f_cm_np1_le_med_0': '111'}}
SSV2_CLASSES = ['Approaching something with your camera', 'Holding something next to something',
                *[f'Doing something {i}' for i in range(172)]]
DIVING_WORDS = [['Back', '15som', '05Twis', 'FREE'], *[['Forward', f'{i}som', 'NoTwis', 'PIKE'] for i in range(47)]]


def put(path: Path, content: str | bytes = b'video') -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def kinetics_csv(clips: list[tuple]) -> str:
    split = 'label,youtube_id,time_start,time_end,split,is_cc\n'
    return split + ''.join(f'{name},{video},{start},{end},x,0\n' for name, video, start, end in clips)


def kinetics400(root: Path) -> None:
    """A folder per class, its name with blanks, as DeepMind's downloader leaves it."""
    rest = [(name, f'absent{i:05d}', 0, 10) for i, name in enumerate(K400_CLASSES)]
    put(root / 'annotations' / 'kinetics_train.csv', kinetics_csv(K400_TRAIN + rest))
    put(root / 'annotations' / 'kinetics_val.csv', kinetics_csv(K400_VAL))
    put(root / 'annotations' / 'kinetics_test.csv', kinetics_csv([]))
    for part, clips in (('train', K400_TRAIN[:-1]), ('val', K400_VAL)):
        for name, video, start, end in clips:
            put(root / part / name / f'{video}_{start:06d}_{end:06d}.mp4')


def ucf101(root: Path) -> None:
    """In split s (1 to 3) the videos s - 1 and 3 are for testing."""
    put(root / 'ucfTrainTestlist' / 'classInd.txt', ''.join(f'{i} {name}\r\n' for i, name in enumerate(UCF_CLASSES, 1)))
    for split in (1, 2, 3):
        test = [UCF_VIDEOS[split - 1], UCF_VIDEOS[3]]
        train = [video for video in UCF_VIDEOS if video not in test]
        lines = [f'{video}.avi {UCF_CLASSES.index(video.split("/")[0]) + 1}\r\n' for video in train]
        put(root / 'ucfTrainTestlist' / f'trainlist0{split}.txt', ''.join(lines))
        put(root / 'ucfTrainTestlist' / f'testlist0{split}.txt', ''.join(f'{video}.avi\n' for video in test))
    for video in UCF_VIDEOS:
        put(root / 'UCF-101' / f'{video}.avi')


def hmdb51(root: Path) -> None:
    for name in HMDB_CLASSES:
        codes = HMDB_CODES.get(name, {})
        for split in range(3):
            put(root / 'testTrainMulti_7030_splits' / f'{name}_test_split{split + 1}.txt',
                ''.join(f'{video}.avi {code[split]} \n' for video, code in codes.items()))
        for video in codes:
            put(root / name / f'{video}.avi')


def sthv2(root: Path) -> None:
    put(root / 'labels' / 'labels.json', json.dumps({name: str(i) for i, name in enumerate(SSV2_CLASSES)}))
    put(root / 'labels' / 'train.json', json.dumps([
        dict(id='78687', label='holding potato next to vicks', template='Holding [something] next to [something]',
             placeholders=['potato', 'vicks']),
        dict(id='42326', label='approaching a tree', template='Approaching [something] with your camera',
             placeholders=['a tree'])]))
    put(root / 'labels' / 'validation.json', json.dumps([
        dict(id='7', label='approaching', template='Approaching [something] with your camera', placeholders=['it'])]))
    put(root / 'labels' / 'test.json', '[]')
    for video in ('78687', '42326', '7'):
        put(root / '20bn-something-something-v2' / f'{video}.webm')


def diving48(root: Path) -> None:
    put(root / 'Diving48_vocab.json', json.dumps(DIVING_WORDS))
    for part, videos in (('train', [('_8Vy3dlHg2w_00000', 39), ('_8Vy3dlHg2w_00001', 0)]), ('test', [('x_00000', 47)])):
        put(root / f'Diving48_V2_{part}.json', json.dumps([
            dict(vid_name=video, label=label, start_frame=0, end_frame=90) for video, label in videos]))
        for video, _ in videos:
            put(root / 'rgb' / f'{video}.mp4')


AVA_ROWS = dict(
    train=['-5KQ66BBWC4,0902,0.077,0.151,0.283,0.811,80,1', '-5KQ66BBWC4,0902,0.077,0.151,0.283,0.811,9,1',
           'frames_only_,0903,0.0,0.0,1.0,1.0,12,0', 'gone_______,0902,0.1,0.1,0.2,0.2,3,0'],
    val=['1j20qq1JyX4,0902,0.002,0.118,0.714,0.977,12,0'])
CHARADES_ROWS = dict(
    train=['46GP8,HR43,Kitchen,6,7,Yes,"A person cooks, and eats.",food,x,c092 11.90 21.20;c147 0.00 12.60,24.83',
           'N11GT,0KZ7,Stairs,7,7,No,"A ""second"" one",x,y,,18.33', 'GONE0,x,x,1,1,No,x,x,x,c001 0.00 1.00,2.00'],
    test=['YSKX3,x,x,1,1,No,x,x,x,c156 1.00 2.50,30.00'])


def action_list(count: int) -> str:
    return ''.join(f'item {{\n  name: "action {i}"\n  id: {i}\n}}\n' for i in range(1, count + 1))


def ava(root: Path) -> None:
    """The official zip, movies in folders by part as files or frames, and PySlowFast's persons."""
    for part, rows in AVA_ROWS.items():
        put(root / 'annotations' / f'ava_{part}_v2.2.csv', '\r\n'.join(rows))
        put(root / 'annotations' / f'ava_{part}_excluded_timestamps_v2.2.csv', f'{part},0999\n')
    put(root / 'annotations' / 'ava_action_list_v2.2.pbtxt', action_list(80))
    put(root / 'annotations' / 'ava_action_list_v2.2_for_activitynet_2019.pbtxt', action_list(60))
    put(root / 'person_box_67091280_iou90' / 'ava_detection_val_boxes_and_labels.csv', '1j20qq1JyX4,0902,0,0,1,1,,.9\n')
    put(root / 'trainval' / '-5KQ66BBWC4.mkv')
    put(root / 'frames' / 'frames_only_' / 'frames_only__000001.jpg')
    put(root / 'trainval' / '1j20qq1JyX4.mp4')


def charades(root: Path) -> None:
    header = 'id,subject,scene,quality,relevance,verified,script,objects,descriptions,actions,length\n'
    put(root / 'Charades' / 'Charades_v1_classes.txt', ''.join(f'c{i:03d} Doing {i} things\n' for i in range(157)))
    for part, rows in CHARADES_ROWS.items():
        put(root / 'Charades' / f'Charades_v1_{part}.csv', header + '\n'.join(rows))
        for row in rows:
            if not row.startswith('GONE'):
                put(root / 'Charades_v1_480' / f'{row[:5]}.mp4')


TREES = dict(kinetics400=kinetics400, ucf101=ucf101, hmdb51=hmdb51, sthv2=sthv2, diving48=diving48)
