/** The documentation's one style sheet, in light and dark, from phone width on. */
export const DOCS_STYLE = `
:root{color-scheme:light dark;--ink:#1c2430;--paper:#fff;--soft:#f3f5f8;--line:#d9dee6;--dim:#566173;--link:#0b57c2}
@media (prefers-color-scheme:dark){:root{--ink:#e6eaf0;--paper:#12161c;--soft:#1b212a;--line:#313a47;--dim:#9aa6b7;--link:#7db2ff}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:56rem;padding:1.25rem;background:var(--paper);color:var(--ink);font:1rem/1.55 system-ui,sans-serif}
h1{font-size:1.7rem;line-height:1.2;margin:.5rem 0}
h2{margin:2.5rem 0 .5rem;padding-bottom:.3rem;border-bottom:2px solid var(--line)}
h3{margin:0;font-size:1rem;font-weight:600;overflow-wrap:anywhere}
a{color:var(--link)}
p{margin:.4rem 0}
code,pre{font:.9em/1.5 ui-monospace,monospace}
nav ul{display:flex;flex-wrap:wrap;gap:.4rem;padding:0;margin:1rem 0;list-style:none}
nav a{display:inline-block;padding:.35rem .7rem;border:1px solid var(--line);border-radius:1rem;text-decoration:none}
article{margin:1rem 0;padding:1rem;border:1px solid var(--line);border-radius:.6rem;background:var(--soft)}
.method{display:inline-block;min-width:3.6rem;padding:.1rem .5rem;border-radius:.3rem;background:#3d4757;color:#fff;font-size:.8rem;text-align:center}
.get{background:#1f5fae}.post{background:#1c7440}.put{background:#8a5a00}.delete{background:#a82a2a}
.summary{font-weight:600}
.who,small{color:var(--dim);font-size:.875rem}
.status{display:inline-block;padding:0 .4rem;border:1px solid var(--line);border-radius:.3rem;font-size:.85rem}
dl{margin:.6rem 0}dt{margin-top:.4rem}dd{margin:0 0 0 1rem;color:var(--dim);overflow-wrap:anywhere}
details{margin:.4rem 0}summary{cursor:pointer;padding:.35rem 0}
pre{overflow:auto;max-height:26rem;padding:.8rem;border-radius:.4rem;background:var(--paper);border:1px solid var(--line)}
@media (max-width:40rem){body{padding:1rem}article{padding:.8rem}pre{padding:.6rem;white-space:pre-wrap;overflow-wrap:anywhere}}
.problems{padding-left:1.2rem;overflow-wrap:anywhere}
`
