/** style: how the page is set: one column of text, charts as wide as they need, everything from the theme's colours. */
import { customProperties, DARK, FONT, LIGHT } from './theme.js';

const COLOURS = `:root{color-scheme:light;${customProperties(LIGHT)}}
@media (prefers-color-scheme:dark){:root:not([data-theme=light]){color-scheme:dark;${customProperties(DARK)}}}
:root[data-theme=dark]{color-scheme:dark;${customProperties(DARK)}}
@media print{:root,:root[data-theme]{color-scheme:light;${customProperties(LIGHT)}}}`;

const TEXT = `*{box-sizing:border-box}
html{scroll-padding-top:4rem;-webkit-text-size-adjust:100%}
body{margin:0;background:var(--ground);color:var(--ink);font:17px/1.6 ${FONT};font-variant-numeric:tabular-nums}
main,header.top,footer{max-width:1120px;margin:0 auto;padding:0 28px}
p,li,dd{max-width:68ch}
h1,h2,h3{line-height:1.15;letter-spacing:-.018em;text-wrap:balance}
h1{font-size:clamp(2.1rem,5.4vw,3.6rem);font-weight:680;margin:0 0 1.1rem;letter-spacing:-.032em}
h2{font-size:clamp(1.45rem,3vw,1.9rem);font-weight:650;margin:0 0 .5rem}
a{color:inherit;text-decoration-color:var(--accent);text-underline-offset:.18em}
a:hover{color:var(--accent)}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px;border-radius:3px}
small{font-size:.8em;color:var(--muted);font-weight:400}
.unseen{position:absolute;clip-path:inset(50%);width:1px;height:1px;overflow:hidden;white-space:nowrap}
header.top{padding-top:56px}
.line{display:flex;justify-content:space-between;align-items:center;gap:16px;margin-bottom:3.2rem;flex-wrap:wrap}
.mark{font-weight:700;letter-spacing:-.02em;font-size:1.15rem}
.mark::before{content:"";display:inline-block;width:.62em;height:.62em;border:.17em solid var(--accent);border-radius:50%;margin-right:.45em;vertical-align:-.02em}
.lead{font-size:1.2rem;line-height:1.5;color:var(--ink);max-width:60ch;margin:0 0 .7rem}
.run{color:var(--muted);font-size:.92rem;margin:1.1rem 0 0;max-width:none}
.notice{border-left:3px solid var(--accent);padding:.2rem 0 .2rem 1rem;margin:1.6rem 0 0}`;

const HEADLINE = `.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(200px,1fr));margin:2.6rem 0 0;border-top:1px solid var(--rule)}
.fact{padding:1.2rem 24px 1.4rem 0}
.fact+.fact{padding-left:24px;border-left:1px solid var(--rule)}
.fact h3{font-size:.9rem;font-weight:600;color:var(--muted);margin:0 0 .6rem;letter-spacing:0}
.fact .big{font-size:clamp(2.3rem,4.4vw,3.1rem);font-weight:680;letter-spacing:-.035em;line-height:1;color:var(--accent);margin:0}
.fact .big span{font-size:.95rem;font-weight:500;letter-spacing:0;color:var(--muted);margin-left:.4em}
.fact dl{margin:1rem 0 0;font-size:.94rem;line-height:1.45}
.fact dt{float:left;clear:left;font-weight:650;min-width:5.2em;padding-right:.6em}
.fact dd{margin:0 0 .15rem 5.2em;color:var(--muted)}
nav.contents{border-block:1px solid var(--rule);margin-top:0;position:sticky;top:0;background:var(--ground);z-index:5}
nav.contents ul{display:flex;gap:4px 12.4px;list-style:none;margin:0 auto;max-width:1120px;padding:.75rem 28px;overflow-x:auto;font-size:.84rem;scrollbar-width:none;white-space:nowrap}
nav.contents a{text-decoration:none;color:var(--muted)}
nav.contents a:hover{color:var(--accent)}`;

const FIGURES = `section{padding:3.6rem 0 0}
section>p{margin:.2rem 0 .9rem;color:var(--muted)}
section>p.finding{color:var(--ink)}
.card{background:var(--surface);border:1px solid var(--rule);border-radius:10px;padding:18px 20px 14px;margin:1.1rem 0 0}
.bar{display:flex;flex-wrap:wrap;gap:10px 24px;justify-content:space-between;align-items:flex-start;margin-bottom:12px}
.panels{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,340px),1fr));gap:20px 28px}
.panels.three{grid-template-columns:repeat(auto-fit,minmax(min(100%,300px),1fr))}
@media (min-width:900px){.panels.once{grid-template-columns:1.45fr 1fr}.panels.once.three{grid-template-columns:1.6fr 1fr 1fr}}
.panels.stacked{grid-template-columns:minmax(0,1fr)}
.panel{min-width:0;height:var(--height);overflow:hidden}
.legend{flex:1 1 400px;display:flex;flex-wrap:wrap;align-items:center;gap:0 4px;margin-left:-7px;font-size:.84rem;min-height:30px}
.keys{display:contents}
.keys-title{color:var(--muted);margin-left:14px;font-size:.78rem}
button{font:inherit;color:inherit;background:none;border:0;cursor:pointer;padding:3px 7px;border-radius:6px}
.key{display:inline-flex;align-items:center;gap:7px;min-height:30px}
.key.own{font-weight:650}
.key[aria-pressed=false]{color:var(--muted);}
.key[aria-pressed=false] svg{opacity:.3}.key[aria-pressed=false]{opacity:.8}
button:hover{background:var(--grid)}
.plain{color:var(--muted);font-size:.82rem;text-decoration:underline;text-decoration-color:var(--rule);text-underline-offset:.2em}
.views{border:0;margin:0 0 0 auto;padding:0;display:flex;flex-wrap:wrap;align-items:center;font-size:.84rem;min-width:0}
.views legend{float:left;padding:0 8px 0 0;color:var(--muted)}
.views label{position:relative;cursor:pointer}
.views input{position:absolute;opacity:0;inset:0;margin:0;cursor:pointer}
.views span{display:block;padding:3px 10px;border:1px solid var(--rule);margin-left:-1px;background:var(--surface);line-height:1.5}
.views label:first-of-type span{border-radius:6px 0 0 6px}
.views label:last-of-type span{border-radius:0 6px 6px 0}
.views input:checked+span{background:var(--ink);border-color:var(--ink);color:var(--surface)}
.views input:focus-visible+span{outline:2px solid var(--accent);outline-offset:2px}
html:not(.is-live) .views,html:not(.is-live) .tools,html:not(.is-live) .plain{visibility:hidden}
.tip{line-height:1.45}.tip .dot{display:inline-block;width:9px;height:9px;border-radius:50%;margin-right:6px}.tip i{font-style:normal;margin-left:.6em;opacity:.75}
.tip table{width:auto;margin-top:4px;font-size:12px}.tip th,.tip td{border:0;padding:0 14px 0 0;font-weight:400;font-size:12px;white-space:pre;background:none;position:static;color:inherit}
.tip td{text-align:right;padding:0;font-variant-numeric:tabular-nums}`;

const TABLES = `table{border-collapse:collapse;width:100%;font-size:.86rem;line-height:1.4}
caption{text-align:left;color:var(--muted);padding:.6rem 0}
th,td{text-align:left;padding:.42rem .9rem .42rem 0;border-bottom:1px solid var(--rule);vertical-align:top;font-weight:400}
thead th{color:var(--muted);font-weight:500;white-space:nowrap;border-bottom-color:var(--faint)}
.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
tbody th{font-weight:500;white-space:nowrap}
tr.own th{color:var(--accent);font-weight:650}
.wide{overflow-x:auto;max-width:100%}
.numbers{margin:.9rem 0 0;font-size:.92rem}
summary{cursor:pointer;color:var(--muted);padding:.3rem 0;width:fit-content}
summary:hover{color:var(--accent)}
summary span{font-size:.86em;margin-left:.4em}
.numbers .wide{max-height:70vh;overflow:auto;border-block:1px solid var(--rule)}
.numbers .wide thead th{position:sticky;top:0;background:var(--ground)}
.bars tbody th{white-space:normal;min-width:15em;max-width:26em}
.bars tr.same th,.bars tr.same~tr.same th{border-bottom-color:var(--rule)}
.bars td{white-space:nowrap}
.bars td:nth-child(2){white-space:normal;min-width:8em}
.strip{display:block}.strip rect{fill:var(--grid)}.strip .bar{stroke:var(--faint)}
.strip .limit{stroke:var(--limit);stroke-dasharray:2 2;stroke-width:1.5}
.strip .mid{stroke:currentColor;stroke-width:2}.strip circle{fill:currentColor;fill-opacity:.45}
.met{color:var(--good)}.missed{color:var(--bad)}.at-the-limit{color:var(--muted)}.not-measured{color:var(--muted)}
.verdict{font-weight:600}
.systems td:nth-child(2){max-width:46ch}
.badge{display:inline-block;border:1px solid currentColor;border-radius:99px;padding:0 .6em;font-size:.92em;white-space:nowrap}
.badge.good{color:var(--good)}.badge.bad{color:var(--bad)}.badge.none{color:var(--muted)}
.env th{color:var(--muted);font-weight:400;width:1%;padding-right:2rem}.env td{overflow-wrap:anywhere}
.how{padding-left:1.2em}.how li{margin:.35rem 0}
footer{padding-top:4rem;padding-bottom:4rem;color:var(--muted);font-size:.9rem}`;

const NARROW_AND_PRINT = `@media (max-width:640px){body{font-size:16px}main,header.top,footer{padding-left:18px;padding-right:18px}
header.top{padding-top:28px}.line{margin-bottom:2rem}nav.contents ul{padding-inline:18px}
.facts{grid-template-columns:1fr}.fact+.fact{border-left:0;padding-left:0;border-top:1px solid var(--rule)}
.card{margin-inline:-10px;padding:14px 10px 10px}.views{margin-left:0}.panel{height:min(var(--height),max(340px,var(--narrow,0px)))}section{padding-top:2.8rem}}
@media print{body{font-size:11pt;background:none}main,header.top,footer{max-width:none;padding:0}nav.contents,.views,.tools,.numbers,.theme{display:none}
.facts{grid-template-columns:repeat(3,1fr)}table{font-size:.72rem}.bars td,.n,tbody th,thead th{white-space:normal}.card,tr{break-inside:avoid}.card{border:0;padding:0}section{padding-top:1.6rem}h2,section>p{break-after:avoid}p,li{break-inside:avoid}
.panels:not(.stacked){grid-template-columns:1fr 1fr}.panel:only-child{grid-column:1/-1}.key[aria-pressed=false]{display:none}}`;

export const STYLE = [COLOURS, TEXT, HEADLINE, FIGURES, TABLES, NARROW_AND_PRINT].join('\n');
