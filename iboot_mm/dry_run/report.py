"""What a dry run has found, as plain data and as text."""

import shlex
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field

from mmengine.config import Config

from ..engine.batch_plan import BatchPlan
from .collectives import seconds
from .fit import CONTEXT, WORKSPACE, Fit, needed
from .forecast import Forecast
from .gpus import GB
from .recipe import Settings
from .step import MOMENTUM, TEACHER, Step
from .work import Roofline


@dataclass(frozen=True)
class Asked:
    """What a dry run was asked.

    Attributes:
        cfg: The config.
        settings: What changes in it.
        plan: The config's own batch plan.
        roofline: The GPU and the share of its peaks.
        link: 10^9 bytes/s between GPUs in one direction; None for the GPU's own.
        decode_rate: Samples that a core of this machine prepares in a second; None if it was not measured.
        options: What ``--cfg-options`` changed in the config, so that the command line says it, too.
    """

    cfg: Config
    settings: Settings
    plan: BatchPlan
    roofline: Roofline
    link: float | None = None
    decode_rate: float | None = None
    options: dict[str, object] = field(default_factory=dict)


def facts(asked: Asked, step: Step, times: Forecast, fit: Fit | None) -> dict:
    """All that was found, as JSON holds it; bytes and seconds of one GPU and one optimizer step."""
    gpu, plan = asked.roofline.gpu, asked.plan
    link = (asked.link or gpu.link) * GB
    collectives = [dict(cause=c.cause, kind=c.kind, count=count, bytes=c.bytes * count,
                        seconds=count * seconds(c, plan.processes, link)) for c, count in step.collectives.items()]
    exchanged = sum(one['seconds'] for one in collectives)
    of_bn = sum(one['seconds'] for one in collectives if one['cause'] == 'SyncBN')
    parts = {}
    for (part, backward), work in step.work.parts.items():
        row = parts.setdefault(part, dict(parameters=step.parameters.get(part, 0), forward_macs=0, backward_macs=0,
                                          bytes=0, operations=0, seconds=times.parts[part]))
        row['backward_macs' if backward else 'forward_macs'] += work.flops // 2
        row['bytes'] += work.bytes
        row['operations'] += work.operations
    for part, count in step.parameters.items():
        if count and part not in parts:
            parts[part] = dict(parameters=count, forward_macs=0, backward_macs=0, bytes=0, operations=0, seconds=0.)
    peak = step.peak
    return dict(
        config=str(asked.cfg.filename), gpu=gpu.name, gpu_source=gpu.source, gpus=plan.processes,
        settings=asked.settings.options(), plan=str(plan), parts=parts,
        memory=dict(peak=peak.bytes, needed=needed(peak.bytes), capacity=gpu.memory * GB, kinds=peak.kinds,
                    when=f'{"backward" if peak.backward else "forward"}, {peak.part}', context=CONTEXT,
                    workspace_share=WORKSPACE),
        largest=None if fit is None else dict(
            most=fit.most, plan=None if fit.plan is None else str(fit.plan),
            needed=None if fit.step is None else needed(fit.step.peak.bytes), command=command(asked, fit)),
        collectives=collectives, sync_bn_share=of_bn / exchanged if exchanged else 0.,
        time=dict(asdict(times), step=times.step, mfu=asked.roofline.mfu, bandwidth=asked.roofline.bandwidth,
                  link=link),
        loader_cores=None if asked.decode_rate is None else times.videos_per_second / asked.decode_rate,
        waits=[dict(count=count, place=str(wait), reason=wait.reason) for wait, count in step.waits.items()])


def command(asked: Asked, fit: Fit) -> str | None:
    """The command line that trains with the largest batch; None if none fits."""
    if fit.plan is None:
        return None
    options = {**asked.options, **asked.settings.options()}
    flags = ''
    if asked.settings.precision == 'amp':
        flags = ' --amp'
        options = {key: value for key, value in options.items() if not key.startswith('optim_wrapper.')}
    options['train_dataloader.batch_size'] = fit.plan.per_process
    words = ' '.join(shlex.quote(f'{key}={value}') for key, value in options.items())
    config = shlex.quote(str(asked.cfg.filename))
    return f'tools/dist_train.sh {config} {fit.plan.processes}{flags} --cfg-options {words}'


def text(found: dict) -> str:
    """The same for a terminal."""
    memory, time = found['memory'], found['time']
    lines = [f'{found["config"]} on {found["gpus"]} x {found["gpu"]}',
             f'Batch      {found["plan"]}',
             *(f'Setting    {key}={value}' for key, value in found['settings'].items()), '',
             f'{"part":<16}{"weights":>10}{"forward":>12}{"backward":>12}{"moved":>10}{"kernels":>9}{"time":>10}']
    lines += [f'{part:<16}{row["parameters"] / 1e6:>8.2f} M{row["forward_macs"] / 1e9:>10.1f} G'
              f'{row["backward_macs"] / 1e9:>10.1f} G{row["bytes"] / GB:>7.1f} GB{row["operations"]:>9}'
              f'{1e3 * row["seconds"]:>7.1f} ms' for part, row in found['parts'].items()]
    kinds = ', '.join(f'{kind} {size / GB:.2f}' for kind, size in
                      sorted(memory['kinds'].items(), key=lambda pair: -pair[1]) if size > 5e6)
    lines += ['', f'Memory     {memory["peak"] / GB:.1f} GB at its peak ({memory["when"]}), '
              f'{memory["needed"] / GB:.1f} of {memory["capacity"] / GB:.0f} GB with '
              f'{memory["context"] / GB:.1f} GB of CUDA and {memory["workspace_share"]:.0%} for workspaces: '
              + ('fits' if memory['needed'] <= memory['capacity'] else 'does NOT fit'), f'           {kinds}']
    if found['largest'] is not None:
        best = found['largest']
        lines += [f'Largest    {best["most"]} videos' + (
            f'; {best["plan"]}: {best["needed"] / GB:.1f} GB' if best['plan'] else ': no split of the batch fits')]
        lines += [f'           {best["command"]}'] if best['command'] else []
    lines += [''] + _exchanges(found) + [
        f'Time       {1e3 * time["step"]:.0f} ms a step, {time["videos_per_second"]:.0f} videos/s at '
        f'{time["mfu"]:.0%} of peak arithmetic and {time["bandwidth"]:.0%} of peak bandwidth '
        '(an estimate: nothing was measured)']
    if time['epoch'] is not None:
        lines.append(f'           {time["epoch"]:.2f} h an epoch' + (
            '' if time['recipe'] is None else f', {time["recipe"]:.0f} h the recipe, {time["gpu_days"]:.1f} GPU-days'))
    if found['loader_cores'] is not None:
        lines.append(f'Loaders    {found["loader_cores"]:.0f} cores like those here')
    lines += ['', 'Waits for the device, each step' + ('' if found['waits'] else ': none')]
    lines += [f'  {wait["count"]:>4} x {wait["place"]}' + (f'; known: {wait["reason"]}' if wait['reason'] else '')
              for wait in found['waits']]
    return '\n'.join(lines)


HEADER = ('config', 'batch', 'trained', 'multiply-adds of a step', 'memory', 'most videos', 'videos/s', 'GPU-days')


def table(all_found: Iterable[dict]) -> Iterator[str]:
    """A line of Markdown for each config, below a header, as soon as it is known; memory is what a GPU needs."""
    yield f'| {" | ".join(HEADER)} |'
    yield '|' + '---|' * len(HEADER)
    for found in all_found:
        memory, time, parts, best = found['memory'], found['time'], found['parts'], found['largest']
        trained = sum(row['parameters'] for part, row in parts.items() if part not in (TEACHER, MOMENTUM))
        macs = sum(row['forward_macs'] + row['backward_macs'] for row in parts.values())
        cells = (f'`{found["config"]}`', found['plan'].split(' = ')[0], f'{trained / 1e6:.1f} M',
                 f'{macs / 1e12:.3g} T', f'{memory["needed"] / GB:.1f} GB', '-' if best is None else best['most'],
                 f'{time["videos_per_second"]:.0f}', '-' if time['gpu_days'] is None else f'{time["gpu_days"]:.2g}')
        yield f'| {" | ".join(map(str, cells))} |'


def _exchanges(found: dict) -> list[str]:
    grouped: dict[tuple[str, str], list[float]] = {}
    for one in found['collectives']:
        total = grouped.setdefault((one['cause'], one['kind']), [0, 0, 0.])
        for place, key in enumerate(('count', 'bytes', 'seconds')):
            total[place] += one[key]
    if not grouped:
        return ['Exchanges  none']
    lines = [f'Exchanges  a step, at {found["time"]["link"] / GB:.0f} GB/s; SyncBN is '
             f'{found["sync_bn_share"]:.0%} of their time']
    return lines + [f'  {count:>4} x {kind:<11} {size / 1e6:>8.1f} MB {1e3 * took:>7.1f} ms  {cause}'
                    for (cause, kind), (count, size, took) in grouped.items()]
