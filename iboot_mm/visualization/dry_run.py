"""What a dry run has found (:mod:`iboot_mm.dry_run`), as a section of the report."""

from html import escape

GB = 10**9


def render_dry_run(found: dict) -> str:
    """HTML of the facts that tools/analysis/dry_run.py writes."""
    memory, time = found['memory'], found['time']
    rows = ''.join(
        f'<tr><th scope="row">{escape(part)}</th><td>{row["parameters"] / 1e6:.2f}</td>'
        f'<td>{row["forward_macs"] / GB:.1f}</td>'
        f'<td>{row["backward_macs"] / GB:.1f}</td><td>{row["bytes"] / GB:.1f}</td><td>{1e3 * row["seconds"]:.1f}</td>'
        '</tr>' for part, row in found['parts'].items())
    kinds = ', '.join(f'{kind} {size / GB:.2f}' for kind, size in
                      sorted(memory['kinds'].items(), key=lambda pair: -pair[1]) if size > 5e6)
    lines = [
        f'{found["config"]} on {found["gpus"]} x {found["gpu"]}: {found["plan"]}. Counted without a GPU; times are '
        f'estimates at {time["mfu"]:.0%} of its peak arithmetic and {time["bandwidth"]:.0%} of its bandwidth.',
        f'Memory at its peak ({memory["when"]}): {memory["peak"] / GB:.1f} GB, {memory["needed"] / GB:.1f} of '
        f'{memory["capacity"] / GB:.0f} GB with allowances. In GB: {kinds}.',
        f'{1e3 * time["step"]:.0f} ms a step, {time["videos_per_second"]:.0f} videos/s'
        + ('.' if time['recipe'] is None else f'; the recipe takes {time["gpu_days"]:.1f} GPU-days.')]
    if found['largest'] and found['largest']['command']:
        lines.append(f'Largest batch: {found["largest"]["plan"]}: {found["largest"]["command"]}')
    lines += [f'{wait["count"]} x waits for the device: {wait["place"]}' for wait in found['waits']]
    return ('<table><caption>One step on one GPU</caption><tr><td></td><th scope="col">weights, 10<sup>6</sup></th>'
            '<th scope="col">forward, 10<sup>9</sup> multiply-adds</th><th scope="col">backward</th>'
            '<th scope="col">moved, GB</th><th scope="col">ms</th></tr>'
            f'{rows}</table>' + ''.join(f'<p>{escape(line)}</p>' for line in lines))
