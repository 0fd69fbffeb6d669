/** index: `ringwal/dashboard`: what a running log does, on a page in the browser, as it happens. */
export type { DashboardOptions } from './options.js';
export { type Dashboard, serveDashboard } from './serve-dashboard.js';
export type { ShownLog } from './shown-log.js';
