"""AVA's files: what they say, and what is said of files that are something else."""

import pickle

import numpy as np
import pytest

from iboot_mm.datasets.ava_files import read_annotations, read_class_names, read_exclusions, read_persons, read_rows

TABLES = {'a,b,0902': np.array([[.1, .2, .5, .9, .95], [0, 0, 1, 1, .8], [.2, .2, .3, .3, .81]]),
          'c,0903': np.array([[0, .1, 1, 1, .1]])}


@pytest.fixture
def file(tmp_path):
    def write(text, name='file.csv'):
        (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return tmp_path / name
    return write


def test_a_persons_actions_are_lines_with_the_same_box_and_id(file):
    path = file('m,0902,0.1,0.2,0.5,0.9,12,0\r\nm,0902,0.1,0.2,0.5,0.9,80,0\r\nm,0902,0.1,0.2,0.5,0.9,1,5\r\n\r\n'
                'm,1798,0.0,0.0,1.0,1.0,3,1\r\n')
    found = read_annotations(path, 80)
    boxes, actions = found['m', 902]
    assert boxes.tolist() == [[.1, .2, .5, .9]] * 2 and boxes.dtype == np.float64
    assert [np.flatnonzero(row).tolist() for row in actions] == [[11, 79], [0]]
    assert list(found) == [('m', 902), ('m', 1798)]


@pytest.mark.parametrize('protocol', [0, 2, 4])
def test_persons_are_those_above_the_confidence_in_either_form(file, protocol):
    lines = [f'{key.rpartition(",")[0]},{key[-4:]},{",".join(map(str, row[:4]))},,{row[4]}'.replace('a,b', '"a,b"')
             for key, table in TABLES.items() for row in table.tolist()]
    of_csv = read_persons(file('\n'.join(lines)), .8)
    of_pickle = read_persons(file(pickle.dumps(TABLES, protocol), 'persons.pkl'), .8)
    for found in (of_csv, of_pickle):
        assert list(found) == [('a,b', 902)]  # of .8 only what is above
        assert found['a,b', 902].boxes.tolist() == [[.1, .2, .5, .9], [.2, .2, .3, .3]]
        assert found['a,b', 902].scores.tolist() == [.95, .81]


def test_a_pickle_never_runs_code(file, tmp_path):
    class Harm:
        def __reduce__(self):
            return open, (str(tmp_path / 'harm'), 'w')

    with pytest.raises(ValueError, match='asks for .*open, which is neither an array nor a number'):
        read_persons(file(pickle.dumps({'a,0902': Harm()}), 'persons.pkl'), .8)
    assert not (tmp_path / 'harm').exists()


@pytest.mark.parametrize('content', [
    [1, 2], {'a': TABLES['c,0903']}, {'a,x': TABLES['c,0903']}, {'a,0902': np.zeros((2, 4))}, {'a,0902': 'text'},
    {'a,0902': TABLES['c,0903'] * 200}, b'no'])
def test_a_pickle_of_something_else_is_told(file, content):
    content = content if isinstance(content, bytes) else pickle.dumps(content)
    with pytest.raises(ValueError, match='persons.pkl'):
        read_persons(file(content, 'persons.pkl'), .8)


@pytest.mark.parametrize('line, words', [
    ('m,0902,0,0,1,1', "Line 2 of '.*' is not"), ('m,start,0,0,1,1,1,1', 'is not'), ('m,902,0,0,1,wide,1,1', 'is not'),
    ('m,902,10,20,300,400,1,1', 'shares of the picture'), ('m,902,0,0,1,nan,1,1', 'shares of the picture')])
def test_a_line_of_another_form_is_told_with_its_number(file, line, words):
    with pytest.raises(ValueError, match=words):
        list(read_rows(file(f'm,0902,0,0,1,1,1,1\n{line}\n')))


@pytest.mark.parametrize('action', ['', '0', '81', '-1'])
def test_actions_beyond_the_classes_are_told(file, action):
    with pytest.raises(ValueError, match='numbered from 1 to 80'):
        read_annotations(file(f'm,0902,0,0,1,1,{action},1\n'), 80)


def test_exclusions_and_class_names(file):
    assert read_exclusions(file('m,0902\nn,1010\n')) == {('m', 902), ('n', 1010)}
    names = 'item {\n  name: "bend/bow (at the waist)"\n  id: 1\n}\nlabel {\n\tname: "swim"\n\tlabel_id: 77\n}\n'
    assert read_class_names(file(names, 'list.pbtxt')) == {1: 'bend/bow (at the waist)', 77: 'swim'}


@pytest.mark.parametrize('read', [read_exclusions, read_class_names])
def test_other_lists_are_told(file, tmp_path, read):
    with pytest.raises(ValueError, match='other.csv'):
        read(file('m,0902,0,0,1,1,1,1\n', 'other.csv'))
    with pytest.raises(FileNotFoundError, match='prepare.py ava'):
        read(tmp_path / 'none.csv')


@pytest.mark.parametrize('name', ['none.csv', 'none.pkl'])
def test_persons_that_are_not_there_are_told(tmp_path, name):
    with pytest.raises(FileNotFoundError, match=f'{name}.* of detected persons: .*proposal_file'):
        read_persons(tmp_path / name, .8)
