"""Getting weight files: a path, a URL or a Hugging Face repository to a local file, or one sentence on what to do.

Where there is no network, the libraries' own downloads retry for most of a minute and end in a page of traceback.
"""

import os
import re
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

import torch

NETWORK_TIMEOUT = 10  # seconds until a server that doesn't answer counts as out of reach


def local_copy(source: str | Path) -> Path:
    """The file that a config names: a path as it is, ``http(s)://...`` and ``torchvision://resnet50`` downloaded.

    Raises:
        ValueError: torchvision has no such model.
        ConnectionError: as :func:`fetch_url`.
    """
    source = str(source)
    if source.startswith('torchvision://'):
        from mmengine.runner.checkpoint import get_torchvision_models

        urls, name = get_torchvision_models(), source.removeprefix('torchvision://')
        if name not in urls:
            raise ValueError(
                f'torchvision has no weights {name!r} ({source}); it has resnet18, resnet50, resnet101, ...'
            )
        source = urls[name]
    return fetch_url(source) if re.match(r'https?://', source) else Path(source)


def fetch_url(url: str) -> Path:
    """A local copy of ``url`` in torch.hub's folder, downloaded if it isn't there yet.

    Raises:
        ConnectionError: says which file to get where, and where to put it.
    """
    target = Path(torch.hub.get_dir(), 'checkpoints', url.rsplit('/', 1)[-1])
    if not target.is_file():
        try:
            with urllib.request.urlopen(url, timeout=NETWORK_TIMEOUT):
                pass  # torch.hub would wait for a dead server without a limit
            target.parent.mkdir(parents=True, exist_ok=True)
            stated = re.search(r'-([0-9a-f]{8,64})\.', target.name)  # as torch names files; whoever sent it
            torch.hub.download_url_to_file(url, str(target), stated[1] if stated else None)
        except (urllib.error.URLError, OSError, RuntimeError) as error:  # the last one: another digest
            raise _unreachable(target.name, url, error) from None
    return target


def fetch_from_hub(repo_id: str, filenames: Sequence[str]) -> Path:
    """A local copy of the first of ``filenames`` that a Hugging Face repository has; the local cache is asked first.

    Raises:
        ConnectionError: says which file to get where, and where to put it.
    """
    from huggingface_hub import constants, hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    for filename in filenames:
        try:
            return Path(hf_hub_download(repo_id, filename, local_files_only=True))
        except LocalEntryNotFoundError:
            pass
    page = f'{constants.ENDPOINT}/{repo_id}'
    try:
        _reach_hub()
        for filename in filenames:
            try:
                return Path(hf_hub_download(repo_id, filename))
            except EntryNotFoundError as error:
                missing = error
        raise missing
    except Exception as error:  # httpx, requests, OS and hub errors share no base class
        raise _unreachable(filenames[0], page, error) from None


def fetch_folder(repo_id: str, filenames: Sequence[str]) -> Path:
    """A local folder with ``filenames`` of one revision of a Hugging Face repository; the local cache is asked first.

    Raises:
        ConnectionError: says what to get where, and how to go on.
    """
    from huggingface_hub import constants, snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    wanted = dict(repo_id=repo_id, allow_patterns=list(filenames))
    try:
        try:
            folder = Path(snapshot_download(**wanted, local_files_only=True))
            if all((folder / filename).is_file() for filename in filenames):
                return folder
        except LocalEntryNotFoundError:
            pass
        _reach_hub()
        return Path(snapshot_download(**wanted))
    except Exception as error:  # httpx, requests, OS and hub errors share no base class
        page = f'{constants.ENDPOINT}/{repo_id}'
        raise _unreachable(' and '.join(filenames), page, error, 'name their folder') from None


def _reach_hub() -> None:
    """Fails at once where downloads would retry a dead network for a minute."""
    from huggingface_hub import constants, get_session

    if constants.HF_HUB_OFFLINE:
        raise ConnectionError('HF_HUB_OFFLINE is set')
    get_session().head(constants.ENDPOINT, timeout=NETWORK_TIMEOUT)


def _unreachable(filename: str, source: str, error: Exception, then: str = '') -> ConnectionError:
    reason = str(error).strip().splitlines()[0] if str(error).strip() else 'no reason given'
    path = f'PATH/{os.path.basename(filename)}'
    then = then or (f"give its path: checkpoint='{path}' of a teacher, pretrained='{path}' of a backbone, or a "
                    "command's option for a file of weights")
    return ConnectionError(
        f'Can not fetch {filename} from {source} ({type(error).__name__}: {reason}): get it on a machine '
        f'with network, put it anywhere on this one and {then}.'
    )
