"""Where the package's tools and configs lie: in the wheel, or in the checkout of an editable install."""

from importlib.util import find_spec
from pathlib import Path


def folder(name: str) -> Path:
    """The package's ``tools`` or ``configs``.

    Raises:
        FileNotFoundError: the package is not installed, or it came without them.
    """
    spec = find_spec('iboot_mm')  # imports nothing
    if spec is not None:
        package = Path(spec.submodule_search_locations[0])
        for place in (package / '.mim' / name, package.parent / name):
            if place.is_dir() and (name != 'tools' or (place / 'train.py').is_file()):
                return place
    raise FileNotFoundError(f'iboot_mm came without its {name}: install its wheel, or a checkout by pip install -e.')


def config_names() -> list[str]:
    """The configs that are whole, relative and without ending, such as ``iboot_r50_clip_k400`` or ``mini/vivi``."""
    configs = folder('configs')
    files = (file.relative_to(configs).with_suffix('') for file in configs.rglob('*.py'))
    return sorted(file.as_posix() for file in files if not any(part.startswith('_') for part in file.parts))


def find_config(name: str) -> Path | None:
    """The package's config of that name, with or without ``iboot_mm::`` and ending; None if there is none such."""
    plain = name.removeprefix('iboot_mm::').removesuffix('.py')
    return folder('configs') / f'{plain}.py' if plain in config_names() else None
