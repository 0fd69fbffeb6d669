/**
 * script: the page's own script: the source of the functions that draw here too, so that one text formats a number
 * everywhere; no bundler. Functions of formats.ts, dress.ts and client.ts find each other by their names.
 */
import * as client from './client.js';
import { dress } from './dress.js';
import * as formats from './formats.js';

/** `data` is in the element of that id, as JSON. */
export function pageScript(dataId: string): string {
  const functions = [...Object.values(formats), dress, ...Object.values(client)];
  return `'use strict';
(() => {
${functions.map(String).join('\n')}
const formats = { ${Object.keys(formats).join(', ')} };
startPage(echarts, JSON.parse(document.getElementById(${JSON.stringify(dataId)}).textContent), formats, dress);
})();`;
}

/** Before anything is shown: the theme that the reader chose last time, so that nothing flashes. */
export const THEME_SCRIPT = `try {
  document.documentElement.dataset.theme = localStorage.getItem('ringwal-theme') || 'auto';
} catch {
  document.documentElement.dataset.theme = 'auto';
}`;
