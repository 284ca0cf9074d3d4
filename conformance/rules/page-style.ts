/** How the page of coverage looks: legible in light and dark, and on paper. */
export const style = `
:root { --ink: #1c1c1c; --paper: #fff; --faint: #5f6368; --line: #d8d8d8; --code: #f5f5f2;
  --succeeded: #2e7d4f; --failed: #b07a00; --trapped: #3b6ea8; --outside: #a0a0a0; --missed: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e4e1; --paper: #17181a; --faint: #a2a5a9; --line: #3a3c40;
  --code: #202225; --succeeded: #66bb8a; --failed: #e0b050; --trapped: #82b1e6; --outside: #777; --missed: #ff8a80; } }
* { box-sizing: border-box; }
body { margin: 0; display: flex; color: var(--ink); background: var(--paper); font: 16px/1.5 system-ui, sans-serif; }
nav { position: sticky; top: 0; flex: none; width: 9rem; height: 100vh; overflow-y: auto; padding: 1rem;
  border-right: 1px solid var(--line); font-size: 14px; }
nav ul { margin: 0; padding: 0; list-style: none; }
main { flex: 1; min-width: 0; max-width: 62rem; padding: 1rem 2rem 4rem; }
a { color: inherit; }
h2 { margin: 2.5rem 0 .5rem; padding-top: .5rem; border-top: 1px solid var(--line); font-size: 1.25rem; }
h3 { margin: 1.75rem 0 .25rem; font-size: 1rem; }
p { margin: .5rem 0; }
p.as-is { white-space: pre-line; }
pre { overflow-x: auto; margin: .5rem 0; padding: .5rem 0; background: var(--code); font: 13px/1.45 ui-monospace, monospace; }
pre span::before { content: attr(data-line); display: inline-block; width: 3.5em; padding-right: 1em; text-align: right;
  color: var(--faint); user-select: none; }
code { font: .9em ui-monospace, monospace; }
table { border-collapse: collapse; font-size: 14px; }
th, td { padding: .15rem .75rem .15rem 0; text-align: left; vertical-align: top; }
td:last-child, th:last-child { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
summary { cursor: pointer; }
.note, .legend { color: var(--faint); font-size: 14px; }
.count { margin-right: 1em; font-size: 14px; font-variant-numeric: tabular-nums; }
.bar { display: inline-flex; width: 10rem; height: .6rem; margin-right: .75rem; background: var(--line); }
.bar i, .key { display: inline-block; height: .6rem; }
.key { width: .6rem; margin-right: .35rem; }
i.succeeded { background: var(--succeeded); } i.failed { background: var(--failed); }
i.trapped { background: var(--trapped); } i.outside { background: var(--outside); }
.missed { color: var(--missed); font-weight: 600; }
.not-reached { margin: 1rem 0; padding: 0 1rem .5rem; border-left: 4px solid var(--missed); }
.not-reached h2 { margin: 0; border: 0; }
:target { outline: 2px solid var(--trapped); outline-offset: 2px; }
@media (max-width: 45rem) { body { display: block; } main { padding: 1rem; }
  nav { position: static; width: auto; height: auto; border: 0; } nav li { display: inline-block; margin-right: .75rem; } }
@media print { nav { display: none; } }
`;
