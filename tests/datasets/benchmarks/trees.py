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


TREES = dict(kinetics400=kinetics400, ucf101=ucf101, hmdb51=hmdb51, sthv2=sthv2, diving48=diving48)
