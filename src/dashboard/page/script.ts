/** script: the page's whole script. */
import { CHARTS_SCRIPT } from './charts-script.js';
import { FIGURES_SCRIPT } from './figures-script.js';
import { SEGMENTS_SCRIPT } from './segments-script.js';
import { START_SCRIPT } from './start-script.js';

export const PAGE_SCRIPT = `'use strict';
(() => {
${FIGURES_SCRIPT}
${CHARTS_SCRIPT}
${SEGMENTS_SCRIPT}
${START_SCRIPT}
startPage();
})();`;
