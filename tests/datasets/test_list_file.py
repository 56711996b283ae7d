"""List files: every form that people bring is read as it is meant, or refused in one sentence that names the line."""

import random

import pytest

from iboot_mm.datasets.list_file import list_line
from iboot_mm.datasets.listing import VIDEO_EXTENSIONS, parse_list

SEPARATORS = [' ', '  ', '\t', ',', ', ', ';', ' ; ']


def parse(path, text: str | bytes, names=None, **options) -> list:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return parse_list(str(path), names, **options)


def random_path(rng: random.Random) -> str:
    """A path as scraped folders have them, which cannot be told from columns by its letters."""
    letters = 'ab0 9,;#\'"._-()é漢\u00a0\u2028%'
    stem = ''.join(rng.choice(letters) for _ in range(rng.randint(1, 12))).strip()
    folder, ending = rng.choice(['', '/b c', '/3,4', '/7']), rng.choice(VIDEO_EXTENSIONS)
    return f'{rng.choice(["", "x", "#", chr(34)])}{stem}x{folder}{ending}'


def quoted(path: str) -> str:
    return '"' + path.replace('"', '""') + '"'


@pytest.mark.parametrize('seed', range(60))
def test_what_is_written_is_read(seed, tmp_path):
    """Any separator, end of line, header, comments, empty lines, byte-order mark, labels; names of any letters."""
    rng = random.Random(seed)
    num_labels, separator, newline = rng.randint(0, 3), rng.choice(SEPARATORS), rng.choice(['\n', '\r\n', '\r'])
    names = ['label', 'motion', 'a_b'][:num_labels]
    entries = [(random_path(rng), {name: rng.choice([0, 7, 399, 10**18 - 1]) for name in names}) for _ in range(20)]
    lines = [separator.join([quoted(path) if path[0] in '#"' or rng.random() < .5 else path,
                             *map(str, labels.values())]) for path, labels in entries]
    for extra in ['', '   ', '# a comment, 3', '#', '##  twice']:
        lines.insert(rng.randint(0, len(lines)), extra)
    if num_labels and rng.random() < .5:
        lines.insert(0, separator.join(['Path', *names]))
    text = newline.join(lines) + rng.choice(['', newline])
    given = None if num_labels == 0 or (num_labels == 1 and rng.random() < .5) else names
    assert parse(tmp_path / 'list.txt', rng.choice([b'', b'\xef\xbb\xbf']) + text.encode(), given) == entries
    rewritten = '\n'.join(list_line(path, labels.values()) for path, labels in entries)
    assert parse(tmp_path / 'list.txt', rewritten, given) == entries


@pytest.mark.parametrize('text, expected', [
    ('a/b.mp4 3\nc d.mp4 4', [('a/b.mp4', 3), ('c d.mp4', 4)]),  # PySlowFast, VideoMAE, MMAction2
    ('a/b.mp4,3\nc d.mp4,4', [('a/b.mp4', 3), ('c d.mp4', 4)]),  # UniFormer's and others' CSV
    ('"a, b.mp4","3"\n"say ""hi"".mp4","4"', [('a, b.mp4', 3), ('say "hi".mp4', 4)]),  # what a spreadsheet writes
    ('folder 1 3\nfolder,2;4', [('folder 1', 3), ('folder,2', 4)]),  # folders of frames
    ('2,3\n4 5', [('2', 3), ('4', 5)]),
    ('video 3\npath 4', [('video', 3), ('path', 4)]),  # folders with the names of columns
    ('a.mp4\nb 3.mp4\nv1.0 c,4.webm', [('a.mp4', None), ('b 3.mp4', None), ('v1.0 c,4.webm', None)]),
    ('a.MP4 007', [('a.MP4', 7)]),
    ('./#shorts.mp4 1', [('./#shorts.mp4', 1)]),
    ('"#shorts.mp4" 1', [('#shorts.mp4', 1)]),
    ('video\nfile', [('video', None), ('file', None)]),
    ('path\na.mp4', [('a.mp4', None)]),
    ('video.mp4_frames 5\na.mp4/b c 2', [('video.mp4_frames', 5), ('a.mp4/b c', 2)])])
def test_forms(text, expected, tmp_path):
    assert [(path, labels.get('label')) for path, labels in parse(tmp_path / 'l.txt', text)] == expected


@pytest.mark.parametrize('header', ['path,place,action', 'Video_Path\tx\ty', 'anything;place;action'])
def test_header_of_several_labels(header, tmp_path):
    separator = next(letter for letter in header if letter in ',\t;')
    text = f'# from a table\n{header}\na b.mp4{separator}3{separator}4'
    assert parse(tmp_path / 'l.csv', text, ['place', 'action']) == [('a b.mp4', dict(place=3, action=4))]


@pytest.mark.parametrize('text, names, message', [
    ('a.mp4 1\nb.mp4', None, "Line 2 of .* has 0 labels, but the first line 1: label all or none"),
    ('my header\na.mp4 1', None, "Line 2 of .* has 1 labels, but the first line 0: .* a line that is no video"),
    ('a.mp4 -1', None, "Line 1 of .*: '-1' is no label; labels are whole numbers from 0[.]$"),
    ('a.mp4,', None, 'Line 1 of .* has more columns'),
    ('a.mp4,3.0', None, "Line 1 of .*: '3.0' is no label"),
    ('a.mp4 ' + '9' * 5000, None, "Line 1 of .*: '9{80}[.]{3}' is no label; .* of at most 18 digits"),
    ('a.mp4 1 ' + '9' * 5000, ['x', 'y'], "Line 1 of .*, label 'y': '9{80}[.]{3}' is no label"),
    ('a.mp4 7 1', None, "Line 1 of .* has more columns than a path and its labels: 'a.mp4 7 1'; name all"),
    ('a.mp4 7 1 2', ['x', 'y'], 'Line 1 of .* has more columns'),
    ('a.mp4 0 -1', None, 'Line 1 of .* has more columns'),  # VideoMAE's pre-training
    ('a.mp4|3', None, 'Line 1 of .* has more columns .* with a blank, tab, comma or semicolon between'),
    ('a.mp4:3', None, 'Line 1 of .* has more columns'),
    ('a.mp4 cat', None, "Line 1 of .*: 'cat' is no label"),
    ('a 1', ['x', 'y'], r"Line 1 of .* needs a path and 2 labels \(x, y\): 'a 1'"),
    ('#a.mp4 1\nb.mp4 2', None, "Line 1 of .* begins with '#': put a blank behind it .* './' before it"),
    ('b.mp4 2\n#a.mp4 1', None, "Line 2 of .* begins with '#'"),
    ('label,youtube_id,time_start,time_end,split\nabseiling,0347ZoDXyP0,95,105,train', None,
     "Line 1 of .*Kinetics' official annotation, which names no files: tools/data/prepare.py"),
    ('"label","youtube_id","time_start","time_end","split","is_cc"\n', None, 'Line 1 of .*Kinetics'),
    ('label,path\n3,a.mp4', None, "Line 1 of .* names the columns 'label,path': a list needs the path"),
    (',path,label\n0,a.mp4,3', None, 'Line 1 of .* names the columns'),
    ('', None, "The list '.*' is empty: it needs lines"),
    ('# only\n\npath label\n', None, "The list '.*' is empty"),
    ('caf\xe9.mp4 1'.encode('latin-1'), None, 'Line 1 of .* is no UTF-8 text, it holds the byte 0xe9, as Latin-1 may'),
    (b'a.mp4 1\r\n\r\ncaf\xe9.mp4 1', None, 'Line 3 of .* is no UTF-8'),
    ('a.mp4 1\n'.encode('utf-16'), None, 'Line 1 of .* is no UTF-8 text, it holds zero bytes, as UTF-16 .*: save the'),
    ('a.mp4 1\n'.encode('utf-16-le'), None, 'Line 1 of .*UTF-16'),
    ('a.mp4 1\n'.encode('utf-16-be'), None, 'Line 1 of .*UTF-16'),
    ('a.mp4 1\n'.encode('utf-32'), None, 'Line 1 of .*'),
    (b'\x00\x00\x00\x18ftypmp42', None, 'Line 1 of .* is no UTF-8 text')])
def test_refused(text, names, message, tmp_path):
    with pytest.raises(ValueError, match=message) as refused:
        parse(tmp_path / 'list.txt', text, names)
    assert 'list.txt' in str(refused.value) and len(str(refused.value)) < 400 and '\n' not in str(refused.value)


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match='There is no list .*none.txt.*: set `ann_file`'):
        parse_list(str(tmp_path / 'none.txt'))
    with pytest.raises(FileNotFoundError, match='The list .* is a folder: set `ann_file` to a text file'):
        parse_list(str(tmp_path))


def test_names_of_columns_are_distinct(tmp_path):
    with pytest.raises(ValueError, match=r"label_names \['x', 'x'\] of '.*l.txt' name a column twice"):
        parse(tmp_path / 'l.txt', 'a.mp4 1 2', ['x', 'x'])


def test_pictures_end_otherwise(tmp_path):
    """A number behind a name with an unknown ending is a label, behind a known one it belongs to the name."""
    assert parse(tmp_path / 'l.txt', 'a.jpg 3', extensions=('.jpg', )) == [('a.jpg', dict(label=3))]
    assert parse(tmp_path / 'l.txt', 'a 3.jpg', extensions=('.jpg', )) == [('a 3.jpg', {})]
