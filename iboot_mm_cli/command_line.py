"""``iboot-mm COMMAND ...``: finds the tool and runs it, as ``python tools/TOOL.py ...`` does."""

import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from importlib.metadata import version
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from .commands import COMMANDS, overview, short_help
from .configs import configs_command
from .places import find_config, folder


def main(arguments: Sequence[str] | None = None) -> None:
    """The command; its exit status is the tool's, or 2 where the command line is wrong.

    Args:
        arguments: The command line; None takes this process's.
    """
    name, *rest = (sys.argv[1:] if arguments is None else arguments) or ['--help']
    try:
        if name in ('-h', '--help'):
            print(overview())
        elif name == '--version':
            print(version('iboot_mm'))
        elif name == 'configs':
            configs_command(rest)
        elif name not in COMMANDS:
            close = get_close_matches(name, [*COMMANDS, 'configs'], 1)
            refuse(f'there is no command {name}; ' + (f'did you mean {close[0]}?' if close else 'see iboot-mm --help'))
        elif {'-h', '--help'} & set(rest):
            print(short_help(name))
        else:
            run_tool(name, ['--help' if part == '--help-all' else part for part in rest])
    except KeyboardInterrupt:
        sys.exit('\nStopped.')
    except FileNotFoundError as error:
        if error.filename is not None:  # not a sentence of ours
            raise
        refuse(str(error))
    except BrokenPipeError:  # of `iboot-mm configs list | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def refuse(sentence: str) -> None:
    """Ends with a sentence and the status of a wrong command line."""
    print(f'iboot-mm: {sentence}', file=sys.stderr)
    sys.exit(2)


def run_tool(name: str, arguments: list[str]) -> None:
    """Runs a command's tool in this process, or its launcher in this process's place."""
    command = COMMANDS[name]
    if command.takes_config:
        arguments = with_config_files(arguments)
    processes = take_option(arguments, '--gpus') if command.launcher else None
    if processes is not None:
        launch(command.launcher, arguments, processes)
    onnx = name == 'export' and any(part.endswith('.onnx') for part in arguments[1:])
    script = folder('tools') / ('convert/export_onnx.py' if onnx else command.script)
    sys.argv = [f'iboot-mm {name}', *arguments]  # what the tool calls itself in its messages
    sys.path.insert(0, str(script.parent))  # as Python does for a script
    spec = spec_from_file_location(script.stem, script)
    sys.modules[script.stem] = tool = module_from_spec(spec)  # worker processes look its functions up by name
    spec.loader.exec_module(tool)
    tool.main()


def with_config_files(arguments: list[str]) -> list[str]:
    """The arguments, of which those before the first option are files where they named configs of the package.

    Behind an option the same word may be a folder, such as the one of that config's run.
    """
    first = next((i for i, part in enumerate(arguments) if part.startswith('-')), len(arguments))
    return [str(found) if i < first and not os.path.exists(part) and (found := find_config(part)) else part
            for i, part in enumerate(arguments)]


def take_option(arguments: list[str], option: str) -> str | None:
    """Takes ``OPTION VALUE`` or ``OPTION=VALUE`` out of a list of arguments; the value, or None."""
    for i, part in enumerate(arguments):
        if part.startswith(f'{option}='):
            return arguments.pop(i).partition('=')[2]
        if part == option:
            if i + 1 == len(arguments):
                refuse(f'{option} wants a number')
            del arguments[i]
            return arguments.pop(i)
    return None


def launch(launcher: str, arguments: list[str], processes: str) -> None:
    """Gives this process to ``dist_train.sh CONFIG GPUS ...`` or ``dist_test.sh CONFIG CHECKPOINT GPUS ...``."""
    wanted = 1 if launcher == 'dist_train.sh' else 2
    files = [part for part in arguments[:wanted] if not part.startswith('-')]
    if len(files) < wanted or not processes.isdecimal() or int(processes) < 1:
        refuse('with --gpus N the line begins with CONFIG' + (' CHECKPOINT' if wanted == 2 else '')
               + ', and N is a number of processes')
    if not Path(arguments[0]).is_file():
        refuse(f'there is no config {arguments[0]}; see iboot-mm configs list')
    script = folder('tools') / launcher
    os.environ.setdefault('PYTHON', sys.executable)
    os.execvp('bash', ['bash', str(script), *arguments[:wanted], processes, *arguments[wanted:]])
