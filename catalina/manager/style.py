"""The look of the managers' pages: one style for both applications, inside of each page."""

from __future__ import annotations

import base64
import hashlib

__all__ = ["STYLE", "STYLE_SOURCE"]

STYLE = """
:root {
  --ink: #1d2433; --soft: #5b6578; --line: #d9dde5; --paper: #ffffff; --back: #f5f6f9; --mark: #9a4212; --good: #1f6b3d;
  --bad: #a32020; color-scheme: light dark;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ink: #e7eaf1; --soft: #a5afc2; --line: #364055; --paper: #171d29; --back: #10151e; --mark: #f4a06d;
    --good: #7fd6a3; --bad: #ff9c9c;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
header, main, footer { max-width: 84rem; margin: 0 auto; padding: .9rem 1.25rem; }
header { display: flex; flex-wrap: wrap; align-items: baseline; gap: .5rem 2rem; padding-top: 1.5rem; }
h1 { font-size: 1.5rem; margin: 0; }
h2 { font-size: 1.05rem; margin: 1.2rem 0 .5rem; }
nav { display: flex; flex-wrap: wrap; gap: .3rem 1.1rem; }
a { color: var(--mark); }
a:focus-visible, button:focus-visible, input:focus-visible { outline: 3px solid var(--mark); outline-offset: 2px; }
.skip { position: absolute; left: -100rem; }
.skip:focus { left: 1rem; top: .5rem; background: var(--paper); padding: .3rem .6rem; }
.lead { color: var(--soft); margin: 0 0 .8rem; }
.wide { overflow-x: auto; margin: 1rem 0; border: 1px solid var(--line);
  border-radius: .5rem; background: var(--paper); }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; font-weight: 600; padding: .7rem .9rem .4rem; }
th, td { text-align: left; vertical-align: top; padding: .4rem .9rem; border-top: 1px solid var(--line); }
th { color: var(--soft); font-weight: 600; white-space: nowrap; }
pre { font: .9em/1.5 ui-monospace, monospace; background: var(--paper); border: 1px solid var(--line);
  border-radius: .5rem; padding: .7rem .9rem; overflow-x: auto; white-space: pre-wrap; margin: 0 0 1rem; }
pre.good { border-left: .35rem solid var(--good); }
pre.bad { border-left: .35rem solid var(--bad); }
form.inline { display: inline-flex; flex-wrap: wrap; gap: .35rem; align-items: center; margin: 0 .6rem .3rem 0; }
form.stacked { display: grid; gap: .55rem; max-width: 34rem; }
form.stacked label { display: grid; gap: .15rem; }
input, button { font: inherit; color: inherit; background: var(--back); border: 1px solid var(--soft);
  border-radius: .35rem; padding: .25rem .6rem; }
input[type="number"] { width: 5.5rem; }
button { cursor: pointer; background: var(--paper); }
button:hover { border-color: var(--mark); }
.careful button { color: var(--bad); border-color: var(--bad); }
progress { width: 100%; }
.two { display: grid; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); gap: 0 2.5rem; }
footer { color: var(--soft); font-size: .9rem; }
"""
#: What a Content-Security-Policy says so that a browser takes this style and no other one inside of a page.
STYLE_SOURCE = f"'sha256-{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'"
