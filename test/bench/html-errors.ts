/** html-errors: what is wrong with a text as HTML or SVG: elements that do not close in order, ids used twice, dead links. */

const VOID = new Set(['meta', 'link', 'br', 'hr', 'img', 'input']);
const TAG = /<(\/?)([a-zA-Z][\w:-]*)((?:\s+[\w:-]+(?:="[^"<]*")?)*)\s*(\/?)>/y;

export function htmlErrors(text: string): string[] {
  const errors: string[] = [];
  const open: string[] = [];
  const ids = new Set<string>();
  const links: string[] = [];
  const body = text
    .replace(/^<!doctype html>/, '')
    .replace(/(<(script|style)\b[^>]*>)[\s\S]*?(<\/\2>)/g, '$1$3');
  for (let at = body.indexOf('<'); at !== -1; at = body.indexOf('<', TAG.lastIndex)) {
    TAG.lastIndex = at;
    const [, slash, name = '', attributes = '', isEmpty] = TAG.exec(body) ?? [];
    if (name === '') return [...errors, `no tag: ${body.slice(at, at + 60)}`];
    if (slash === '/') {
      const expected = open.pop();
      if (expected !== name) return [...errors, `</${name}> closes <${expected}>`];
    } else if (isEmpty !== '/' && !VOID.has(name)) open.push(name);
    for (const [, key, value = ''] of attributes.matchAll(/([\w:-]+)="([^"]*)"/g)) {
      if (key === 'id' && ids.has(value)) errors.push(`id ${value} twice`);
      if (key === 'id') ids.add(value);
      if (key === 'href' && value.startsWith('#')) links.push(value.slice(1));
      if (key === 'aria-labelledby') links.push(value);
    }
  }
  if (open.length > 0) errors.push(`left open: ${open.join(', ')}`);
  for (const link of links) if (!ids.has(link)) errors.push(`no element has the id ${link}`);
  return errors;
}
