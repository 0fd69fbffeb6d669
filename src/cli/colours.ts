/** colours: text in colour where the output can show it. */
import { styleText } from 'node:util';
import type { CliIo } from './io.js';

export type Colour = 'red' | 'green' | 'yellow' | 'cyan' | 'dim' | 'bold';

/** `text` in `colour` if what goes to stdout may be coloured, else as it is. */
export function paint({ hasColour }: Pick<CliIo, 'hasColour'>, colour: Colour, text: string): string {
  // Without the option, newer versions of Node would ask their own stdout whether it is a terminal.
  return hasColour ? styleText(colour, text, { validateStream: false }) : text;
}
