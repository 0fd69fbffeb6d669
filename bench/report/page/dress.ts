/**
 * dress: turns an option that is plain data into one that ECharts can draw: strings like "$accent" and "$us" become the
 * theme's colour and the function of that name. The page gets it as source (script.ts), so it needs nothing else.
 */
export function dress(value: unknown, dictionary: Readonly<Record<string, unknown>>): unknown {
  if (typeof value === 'string') {
    const name = value.slice(1);
    return value.startsWith('$') && Object.hasOwn(dictionary, name) ? dictionary[name] : value;
  }
  if (Array.isArray(value)) return value.map((item) => dress(item, dictionary));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, dress(item, dictionary)]));
}
