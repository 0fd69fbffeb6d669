/** vitest.config: test files against a mutant: in one process, the built package as it is, in the order that is asked for. */

import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const order = (process.env.RINGWAL_TEST_FILES ?? '').split(',');

class AsAsked extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number =>
      order.findIndex((name) => moduleId.includes(`/test/${name}`));
    return files.sort((a, b) => place(a) - place(b));
  }
}

export default defineConfig({
  test: {
    include: order.map((name) => (name.endsWith('/') ? `test/${name}*.test.ts` : `test/${name}.test.ts`)),
    pool: 'forks',
    maxWorkers: 1,
    isolate: false,
    fileParallelism: false,
    bail: 1,
    reporters: ['dot'],
    setupFiles: ['test/mutants/vitest-setup.ts', 'test/support/put-back.ts'],
    server: { deps: { external: [/\/dist\//] } },
    sequence: { sequencer: AsAsked },
    testTimeout: 20_000,
    hookTimeout: 20_000,
  },
});
