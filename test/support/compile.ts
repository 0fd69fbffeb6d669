/**
 * compile: the package or its tests built somewhere else, module by module: workers are not bundled there, so that a change
 * to any module tells.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository: this module runs from dist-test/support, or from test/support. */
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** `project`: a tsconfig, relative to the repository; `options`: of tsc. */
export function compile(project: string, ...options: readonly string[]): void {
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  execFileSync(process.execPath, [tsc, '-p', join(ROOT, project), ...options], { stdio: 'inherit' });
}
