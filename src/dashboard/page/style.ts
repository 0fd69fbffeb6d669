/** style: how the page is set: figures in a row, charts on cards, everything from the theme's colours. */
import { customProperties, DARK, FONT, LIGHT } from './theme.js';

const COLOURS = `:root{color-scheme:light;${customProperties(LIGHT)}}
@media (prefers-color-scheme:dark){:root{color-scheme:dark;${customProperties(DARK)}}}`;

const TEXT = `*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.5 ${FONT};font-variant-numeric:tabular-nums}
main,header,footer{max-width:1240px;margin:0 auto;padding:0 28px}
h1,h2,h3{line-height:1.2;letter-spacing:-.014em;margin:0}
h1{font-size:1rem;font-weight:500;letter-spacing:0;color:var(--muted);overflow-wrap:anywhere}
h2{font-size:1.02rem;font-weight:650}
p{margin:0}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px;border-radius:6px}
[hidden]{display:none!important}
.unseen{position:absolute;clip-path:inset(50%);width:1px;height:1px;overflow:hidden;white-space:nowrap}
header{padding-top:26px}
.line{display:flex;align-items:baseline;gap:4px 18px;flex-wrap:wrap}
.mark{font-weight:700;letter-spacing:-.02em;font-size:1.15rem}
.mark::before{content:"";display:inline-block;width:.62em;height:.62em;border:.17em solid var(--accent);border-radius:50%;margin-right:.45em;vertical-align:-.02em}
.line h1{flex:1 1 12em}
.state{font-size:.86rem;font-weight:600;color:var(--muted);display:inline-flex;align-items:center;gap:.5em;border:1px solid currentColor;border-radius:99px;padding:.1em .8em}
.state::before{content:"";width:.55em;height:.55em;border-radius:50%;background:currentColor}
.state.good{color:var(--good)}.state.bad{color:var(--bad)}
@media (prefers-reduced-motion:no-preference){.state.good::before{animation:beat 2s ease-in-out infinite}
@keyframes beat{50%{opacity:.25}}}
.trouble{border-left:3px solid var(--bad);background:var(--surface);padding:.7rem 1rem;margin:18px 0 0;border-radius:0 8px 8px 0;overflow-wrap:anywhere}
.trouble b{color:var(--bad);display:block}
.trouble.calm{border-color:var(--faint)}.trouble.calm b{color:var(--ink)}`;

const FIGURES = `.facts{display:grid;grid-template-columns:repeat(5,minmax(0,1fr));margin:22px 0 0;border-block:1px solid var(--rule)}
.fact{padding:1rem 18px 1.05rem 0;min-width:0}
.fact+.fact{padding-left:18px;border-left:1px solid var(--rule)}
.fact h2{font-size:.84rem;font-weight:600;color:var(--muted);letter-spacing:0}
.big{font-size:clamp(1.7rem,2.9vw,2.35rem);font-weight:680;letter-spacing:-.035em;line-height:1.15;margin:.25rem 0 .45rem;white-space:nowrap}
.fact.own .big{color:var(--accent)}
dl{margin:0;font-size:.86rem}
.fact dl div{display:flex;flex-wrap:wrap;justify-content:space-between;gap:0 10px;line-height:1.5}
dt{color:var(--muted)}dd{margin:0;white-space:nowrap}
.cards{display:grid;grid-template-columns:repeat(12,minmax(0,1fr));gap:16px;margin:18px 0 0}
.card{background:var(--surface);border:1px solid var(--rule);border-radius:10px;padding:15px 18px 12px;min-width:0;display:flex;flex-direction:column}
.c12{grid-column:span 12}.c7{grid-column:span 7}.c5{grid-column:span 5}.c6{grid-column:span 6}
.card .head{display:flex;justify-content:space-between;align-items:baseline;gap:4px 16px;flex-wrap:wrap}
.card .head p{font-size:.84rem;color:var(--muted)}
.card .head b{font-weight:650;color:var(--ink)}
.key{display:inline-block;width:.7em;height:.7em;border-radius:2px;margin:0 .4em 0 .9em;background:var(--accent)}
.key.closed{background:var(--faint);opacity:.5}.key.soft{background:var(--accent-soft);opacity:.55}
h3{font-size:.84rem;font-weight:500;color:var(--muted);letter-spacing:0;margin-top:12px;display:flex;justify-content:space-between}
h3 b{font-weight:650;color:var(--ink)}
.plot{position:relative;flex:1 1 var(--height);min-height:var(--height);margin-top:6px}
.plot svg{display:block;position:absolute;inset:0;width:100%;height:100%;overflow:visible}
.groups{--height:348px}.time{--height:128px}.syncs{--height:206px}.load{--height:72px}`;

const CHARTS = `svg text{font:11.5px ${FONT};fill:var(--muted);font-variant-numeric:tabular-nums}
svg .grid{stroke:var(--grid);stroke-width:1}svg .axis{stroke:var(--rule);stroke-width:1}
svg .name{font-size:11px}
svg .trail{stroke:var(--accent-soft);stroke-width:1.2;fill:none}
svg .past{fill:var(--accent)}
svg .now{fill:var(--accent);stroke:var(--surface);stroke-width:2}
svg .halo{fill:none;stroke:var(--accent);stroke-width:1.5}
svg .cross{stroke:var(--accent);stroke-width:1;stroke-dasharray:2 3;opacity:.55}
svg .label{font-size:12.5px;font-weight:650;fill:var(--ink);paint-order:stroke;stroke:var(--surface);stroke-width:4px;stroke-linejoin:round}
svg .curve{fill:none;stroke:var(--accent);stroke-width:1.75;stroke-linejoin:round}
svg .area{fill:var(--accent);opacity:.1}
svg .second.curve{stroke:var(--second)}svg .second.area{fill:var(--second)}
svg .end{fill:var(--accent)}svg .second.end{fill:var(--second)}
svg .long{fill:var(--accent-soft);opacity:.45}svg .short{fill:var(--accent)}
svg .empty{font-size:13px}
@media (prefers-reduced-motion:no-preference){svg .halo{animation:halo .9s ease-out both;transform-box:fill-box;transform-origin:center}
@keyframes halo{from{opacity:.9;transform:scale(.4)}to{opacity:0;transform:scale(2.4)}}}
@media (prefers-reduced-motion:reduce){svg .halo{opacity:.5}}`;

const SEGMENTS = `.map{list-style:none;margin:12px 0 0;padding:3px;display:grid;grid-template-columns:repeat(auto-fill,minmax(var(--block,74px),1fr));gap:5px;border-radius:8px}
.map li{position:relative;height:34px;border-radius:4px;background:var(--grid);overflow:hidden;cursor:default}
.map li i{position:absolute;inset:0 auto 0 0;width:var(--fill,0);background:var(--faint);opacity:.5}
.map li.active{box-shadow:inset 0 0 0 1.5px var(--accent)}
.map li.active i{background:var(--accent);opacity:.85}
.map li.chosen{outline:2px solid var(--ink);outline-offset:1px}
.map li span{position:absolute;left:8px;top:0;line-height:34px;font-size:.8rem;font-weight:600;color:var(--ink)}
.map.tight li{height:24px}.map.tight li span{clip-path:inset(100%)}.map.tight{gap:3px}
@media (prefers-reduced-motion:no-preference){.map li i{transition:width .4s linear}}
.detail{font-size:.86rem;color:var(--muted);margin-top:9px;min-height:1.5em}
.counts{display:grid;grid-template-columns:repeat(auto-fill,minmax(150px,1fr));gap:10px 22px;font-size:.86rem}
.counts dd{font-weight:600;font-size:.98rem}
.counts .bad dd{color:var(--bad)}
footer{padding-top:22px;padding-bottom:34px;color:var(--muted);font-size:.84rem}
a{color:inherit;text-decoration-color:var(--accent);text-underline-offset:.18em}`;

const NARROW = `@media (max-width:1000px){.c7,.c5,.c6{grid-column:span 12}.facts{grid-template-columns:repeat(6,minmax(0,1fr))}
.fact{grid-column:span 2}.fact:nth-child(n+4){grid-column:span 3;border-top:1px solid var(--rule)}.fact:nth-child(4){border-left:0;padding-left:0}}
@media (max-width:640px){.line h1{order:1;flex-basis:100%}.line{justify-content:space-between}main,header,footer{padding-left:16px;padding-right:16px}.cards{gap:12px}.card{padding:13px 12px 10px}
.facts{grid-template-columns:repeat(2,minmax(0,1fr))}.fact,.fact:nth-child(n+4){grid-column:auto}
.fact:nth-child(odd){border-left:0;padding-left:0}.fact:nth-child(n+2){border-top:0}.fact:nth-child(n+3){border-top:1px solid var(--rule)}
.fact:nth-child(4){border-left:1px solid var(--rule);padding-left:18px}.fact:nth-child(5){grid-column:span 2;padding-right:0}
.fact{padding-right:14px}.fact dl{font-size:.8rem}.groups{--height:300px}}`;

export const STYLE = [COLOURS, TEXT, FIGURES, CHARTS, SEGMENTS, NARROW].join('\n');
