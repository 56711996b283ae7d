"""Prepare a benchmark: from its unpacked archives to the folders and lists that the configs name.

    python tools/data/prepare.py ucf101 /archives/ucf101

    kinetics400, kinetics600  CLASS/ID_000010_000020.mp4 or flat (as the CVDF ships them), train.csv, validate.csv
    kinetics700               the same, the edition of 2019; kinetics700_2020 is the CVDF's
    ucf101                    UCF-101/CLASS/*.avi, ucfTrainTestlist/
    hmdb51                    CLASS/*.avi, testTrainMulti_7030_splits/
    sthv2                     20bn-something-something-v2/*.webm, labels/{labels,train,validation}.json
    diving48                  rgb/*.mp4, Diving48_vocab.json, Diving48_V2_train.json, Diving48_V2_test.json
    ava                       ID.mkv, or a folder ID of frames for each movie; ava_v2.2.zip; detected persons
    charades                  Charades_v1_480/*.mp4, Charades/{Charades_v1_classes.txt,Charades_v1_{train,test}.csv}
    weizmann                  walk/daria_walk.avi, ..., from a zip an action; split by person, no list needed
    ut_interaction            segmented_set{1,2}/0_1_4.avi, ... (number, sequence, class); split by sequence, no list
    kth                       boxing/person01_boxing_d1_uncomp.avi, ..., from a zip an action; 00sequences.txt if there

Files are known by their names, in whatever folders below ROOT they are and with whatever ending, so a resized copy
(tools/data/resize_videos.py) serves as well. Nothing is copied: data/NAME/videos* holds links. What is there, what is
missing and, with --check, what cannot be read is counted in data/NAME/counts.json beside the official numbers.
"""

import argparse
import sys
from pathlib import Path

from iboot_mm.datasets.benchmarks import BENCHMARKS, prepare
from iboot_mm.interruption import one_line_when_stopped


@one_line_when_stopped()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('name', choices=list(BENCHMARKS))
    parser.add_argument('root', type=Path, help='the folder that the archives were unpacked in')
    parser.add_argument('--annotations', type=Path, help='folder of the annotation files, if they are not below root')
    parser.add_argument('--out', type=Path, help='folder to write (default: data/NAME)')
    parser.add_argument('--check', action='store_true', help='open every video; can be stopped and called again')
    parser.add_argument('--workers', type=int, help='processes of --check (default: all cores)')
    args = parser.parse_args()
    out = args.out or Path('data', args.name)
    try:
        prepare(args.name, args.root, out, args.annotations, args.check, args.workers)
    except (OSError, ValueError) as error:
        sys.exit(f'prepare: {error}')
    print(f'{out}: ready')


if __name__ == '__main__':
    main()
