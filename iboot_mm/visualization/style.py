"""The look of the report: inlined, so the page stays one file."""

STYLE = """
:root { color-scheme: light; }
body { margin: 0; background: #fbfbf9; color: #2b2b28; font: 16px/1.5 system-ui, 'Segoe UI', sans-serif; }
main { max-width: 980px; margin: 0 auto; padding: 2.5rem 1.5rem 4rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .8rem; }
h2 { font-size: 1.25rem; margin: 2.6rem 0 .8rem; padding-top: 1.1rem; border-top: 1px solid #e6e6e2; }
p { max-width: 46rem; margin: .5rem 0; }
table { border-collapse: collapse; margin: .6rem 0 1rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; white-space: nowrap; color: #6b6b66; font-size: .9rem; padding-bottom: .5rem; }
th { text-align: left; font-weight: 500; padding: .34rem 2.2rem .34rem .6rem; }
tr:first-child th { text-align: right; color: #6b6b66; padding-right: .6rem; }
td { text-align: right; padding: .34rem .6rem; min-width: 5.5rem; }
tr + tr { border-top: 1px solid #ecece8; }
tr.ours { background: #e8f3f0; font-weight: 600; }
tr.ours th { font-weight: 600; }
figure { margin: 0; }
figure svg, .look img { width: 100%; height: auto; }
.neighbors { display: grid; gap: 1rem; overflow-x: auto; padding: 5px; }
.line { display: flex; gap: .6rem; }
.clip { width: 108px; flex: none; }
.clip.query { margin-right: 1.4rem; }
.clip.query .picture { outline: 3px solid #0b6e99; outline-offset: 1px; }
.picture { position: relative; width: 108px; height: 108px; border-radius: 4px; overflow: hidden; background: #e6e6e2; }
.picture img { position: absolute; inset: 0; width: 100%; height: 100%; }
.picture .loop { visibility: hidden; }
.clip:hover .loop, .clip:focus .loop { visibility: visible; }
.clip:focus-visible { outline: 3px solid #d9730d; outline-offset: 3px; }
.gone { display: grid; place-items: center; height: 100%; font-size: .75rem; color: #5a5a55; }
.caption { font-size: .78rem; line-height: 1.3; margin-top: .3rem; overflow-wrap: anywhere; }
.caption small { color: #6b6b66; }
.same { color: #0f7b6c; font-weight: 600; }
.other { color: #c4392b; }
.map { position: relative; }
.map svg { display: block; width: 100%; height: auto; background: #f1f1ee; border-radius: 6px; }
.map circle { fill: #9a9a95; opacity: .75; }
.map [tabindex] { opacity: 1; cursor: pointer; stroke: transparent; stroke-width: 14px; outline: none; }
.map [tabindex]:hover, .map [tabindex]:focus { stroke: #2b2b28; stroke-width: 4px; }
.map input { position: absolute; opacity: 0; }
.map label { display: inline-block; padding: .15rem .8rem; margin: 0 .4rem .5rem 0; border: 1px solid #b9b9b3;
             border-radius: 1rem; cursor: pointer; font-size: .9rem; }
.map input:checked + label { background: #0b6e99; border-color: #0b6e99; color: #fff; }
.map input:focus-visible + label { outline: 3px solid #d9730d; }
.legend { display: none; flex-wrap: wrap; gap: .2rem 1rem; list-style: none; margin: 0 0 .6rem; padding: 0;
          font-size: .85rem; }
.swatch { display: inline-block; width: .75em; height: .75em; border-radius: 50%; margin-right: .35em;
          background: #9a9a95; }
.shot { visibility: hidden; pointer-events: none; }
.shot rect { fill: #fff; stroke: #b9b9b3; }
.shot text { fill: #2b2b28; font-size: 19px; }
.skip { position: absolute; left: -100vw; }
.skip:focus { position: static; }
.versions { color: #6b6b66; font-size: .9rem; }
details { margin-top: .6rem; }
summary { cursor: pointer; color: #0b6e99; }
pre { background: #f1f1ee; padding: 1rem; font-size: .8rem; line-height: 1.4; overflow-x: auto; border-radius: 4px; }
@media (max-width: 720px) {
  main { padding: 1.2rem .8rem 3rem; }
  table { display: block; overflow-x: auto; }
  caption { white-space: normal; }
  th { padding-right: .6rem; }
  td { min-width: 3.5rem; }
  .map [tabindex] { stroke-width: 40px; }
  .shot { transform: scale(1.6); }
}
@media (prefers-reduced-motion: reduce) {
  .picture .loop { display: none; }
}
@media (prefers-color-scheme: dark) {
  :root { color-scheme: dark; }
  body { background: #1b1b1d; color: #e4e4df; }
  h2, tr + tr { border-color: #3a3a3d; }
  caption, tr:first-child th, .versions, .caption small { color: #a5a5a0; }
  tr.ours { background: #17382f; }
  .same { color: #4cc3ae; }
  .other { color: #ff8a7a; }
  summary, a { color: #6cb8dc; }
  pre, .map svg { background: #262629; }
  .picture { background: #3a3a3d; }
  .gone { color: #b9b9b3; }
  figure { background: #fbfbf9; border-radius: 6px; padding: .4rem; }
  .map [tabindex]:hover, .map [tabindex]:focus { stroke: #fff; }
  .shot rect { fill: #333337; stroke: #6b6b66; }
  .shot text { fill: #e4e4df; }
}
"""
