/**
 * The look of all pages of the server, in light and dark. Colors are variables, so that pages with more content, such as tables, use the
 * same ones. Every pair of a text and its background has a contrast of at least 4.5:1 (WCAG 2.2 §1.4.3).
 */
export const stylesheet = `
:root {
  color-scheme: light dark;
  --page: #f5f6fa;
  --panel: #ffffff;
  --sunken: #eef0f6;
  --text: #1b1e2b;
  --quiet: #585e72;
  --line: #d9dce7;
  --accent: #3454d1;
  --on-accent: #ffffff;
  --accent-strong: #2a45b0;
  --good: #1a6e3c;
  --bad: #b3261e;
  --bad-panel: #fdeceb;
  --radius: 12px;
  --font: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", sans-serif;
  --mono: ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #12141c;
    --panel: #1c1f2b;
    --sunken: #252938;
    --text: #e8eaf2;
    --quiet: #a2a8bd;
    --line: #353a4c;
    --accent: #93a7ff;
    --on-accent: #12141c;
    --accent-strong: #b3c1ff;
    --good: #7fd6a1;
    --bad: #ffb4ab;
    --bad-panel: #3b1f1f;
  }
}
*, *::before, *::after { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0; background: var(--page); color: var(--text); font: 1rem/1.5 var(--font); overflow-wrap: anywhere; }
body.narrow { display: flex; flex-direction: column; min-height: 100vh; min-height: 100dvh; }
body.narrow > main { width: 100%; max-width: 30rem; margin: auto; padding: 1.5rem 1rem 2.5rem; }
body.wide > main { max-width: 76rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
h1 { margin: 0 0 .75rem; overflow-wrap: anywhere; font-size: 1.625rem; line-height: 1.25; letter-spacing: -.01em; text-wrap: balance; }
h2 { margin: 0 0 .75rem; font-size: 1.0625rem; line-height: 1.35; }
h3 { margin: 1rem 0 .5rem; font-size: .9375rem; line-height: 1.4; color: var(--quiet); }
p { margin: 0 0 1rem; text-wrap: pretty; }
p:last-child, ul:last-child, form:last-child { margin-bottom: 0; }
ul, ol { padding-left: 1.25rem; }
a { color: var(--accent); text-underline-offset: .15em; }
a:hover { color: var(--accent-strong); }
small, .quiet { color: var(--quiet); }
small { font-size: .875rem; }
code { font: .9375em/1.5 var(--mono); }
.panel { margin: 0 0 1rem; padding: 1.25rem; background: var(--panel); border: 1px solid var(--line); border-radius: var(--radius); }
.brand { display: block; width: 2.75rem; height: 2.75rem; margin: 0 0 1rem; border-radius: .6rem; }
.copy { display: block; padding: .625rem .75rem; background: var(--sunken); border-radius: 8px; font: .875rem/1.45 var(--mono); user-select: all; -webkit-user-select: all; }
.notice { padding: .75rem 1rem; background: var(--bad-panel); color: var(--bad); border-radius: 8px; }
label { display: block; margin: 0 0 .25rem; font-weight: 600; }
.field { margin: 0 0 1rem; }
.field small { display: block; margin-top: .25rem; }
input, select, textarea { width: 100%; padding: .625rem .75rem; background: var(--panel); color: var(--text); border: 1px solid var(--quiet); border-radius: 8px; font: inherit; }
input[type="checkbox"], input[type="radio"] { width: auto; }
input[readonly] { background: var(--sunken); border-color: var(--line); }
.joined { display: flex; align-items: stretch; }
.joined input { flex: 1 1 8rem; min-width: 0; border-radius: 8px 0 0 8px; }
.joined span { flex: 0 1 auto; padding: .625rem .75rem; background: var(--sunken); color: var(--quiet); border: 1px solid var(--quiet); border-left: 0; border-radius: 0 8px 8px 0; }
button, .button { display: inline-block; padding: .6875rem 1.125rem; background: var(--accent); color: var(--on-accent); border: 1px solid transparent; border-radius: 8px; font: inherit; font-weight: 600; line-height: 1.375; text-align: center; text-decoration: none; cursor: pointer; }
button:hover, .button:hover { background: var(--accent-strong); color: var(--on-accent); }
.button.second, button.second { background: transparent; color: var(--accent); border-color: var(--line); }
.button.second:hover, button.second:hover { background: var(--sunken); color: var(--accent-strong); }
.full { display: block; width: 100%; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
* + details, details + * { margin-top: 1rem; }
details > summary { cursor: pointer; color: var(--accent); font-weight: 600; }
details[open] > summary { margin-bottom: .75rem; }
hr { margin: 1.25rem 0; border: 0; border-top: 1px solid var(--line); }
.choices { margin: 0; padding: 0; list-style: none; }
.choices li { display: flex; flex-wrap: wrap; align-items: baseline; justify-content: space-between; gap: .125rem .75rem; padding: .75rem 0; border-top: 1px solid var(--line); }
.choices li:first-child { padding-top: 0; border-top: 0; }
.choices li:last-child { padding-bottom: 0; }
.choices strong, .choices a { overflow-wrap: normal; white-space: nowrap; }
.choices a + a { margin-left: .875rem; }
.choices + * { margin-top: 1rem; }
.code { display: block; width: 13rem; max-width: 100%; margin: 0 auto; background: #fff; border-radius: 8px; }
.code svg { display: block; width: 100%; height: auto; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .5rem .75rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
th { color: var(--quiet); font-size: .875rem; font-weight: 600; }
@media (pointer: coarse) { summary { padding-block: .625rem; } .choices a { display: inline-flex; align-items: center; min-height: 44px; } }
@media (max-width: 40rem) { .large-screen { display: none; } }
@media (prefers-reduced-motion: no-preference) { button, .button { transition: background-color .12s; } }
`;
