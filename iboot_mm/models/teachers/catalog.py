"""Ready teachers by name: the files in ``configs/_base_/teachers``."""

import difflib
from pathlib import Path

from mmengine.config import Config

PACKAGE = Path(__file__).resolve().parents[2]
# In an installed wheel (or an editable install) configs lie in .mim, as MMAction2's do; in a source checkout beside the
# package.
FOLDERS = (PACKAGE / '.mim' / 'configs' / '_base_' / 'teachers', PACKAGE.parent / 'configs' / '_base_' / 'teachers')


def list_teachers() -> dict[str, Path]:
    """Names of the ready teachers and their config files."""
    return {file.stem: file for folder in FOLDERS for file in sorted(folder.glob('*.py'))}


def load_teacher_config(name_or_path: str, checkpoint: str | None = None) -> dict:
    """The ``teacher`` dict of a ready config, of a config file, or of a model of timm or open_clip.

    Args:
        name_or_path: ``clip_vit_b16`` (see :func:`list_teachers`), a Python config with ``teacher = dict(...)``,
            ``timm:MODEL.TAG`` or ``open_clip:MODEL/TAG``.
        checkpoint: Local weights to load instead of the hub's.

    Returns:
        What ``MODELS.build`` takes.

    Raises:
        ValueError: there is no such teacher (with near matches), or the config defines none.
    """
    library, _, model = name_or_path.partition(':')
    ready = list_teachers()
    if library == 'timm' and model:
        teacher = dict(type='TimmTeacher', model=model)
        if '.' not in model and not checkpoint:
            teacher['pretrained'] = True
    elif library == 'open_clip' and model:
        model, _, tag = model.partition('/')
        teacher = dict(type='OpenCLIPTeacher', model=model, pretrained=tag or None)
    elif name_or_path in ready:
        teacher = _from_file(ready[name_or_path])
    elif Path(name_or_path).suffix == '.py' and Path(name_or_path).is_file():
        teacher = _from_file(Path(name_or_path))
    else:
        near = difflib.get_close_matches(name_or_path, ready, n=3, cutoff=0.4) or sorted(ready)
        raise ValueError(
            f'There is no teacher {name_or_path!r}: not a ready one (did you mean {" or ".join(near)}?), not a config '
            'file, not timm:MODEL.TAG and not open_clip:MODEL/TAG.'
        )
    if checkpoint is not None:
        teacher['checkpoint'] = checkpoint
    return teacher


def _from_file(file: Path) -> dict:
    config = Config.fromfile(file)
    if not isinstance(config.get('teacher'), dict) or 'type' not in config.teacher:
        raise ValueError(
            f"{file} defines no teacher: it needs a line such as teacher = dict(type='TimmTeacher', model=...)."
        )
    return config.teacher.to_dict()
