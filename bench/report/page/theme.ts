/**
 * theme: the colours, light and dark. One accent belongs to ringwal alone; the peers' colours differ in lightness too, and
 * each has a mark of its own, so that no eye needs the hue; limits are grey.
 */

export const LIGHT = {
  ground: '#fbfaf8',
  surface: '#ffffff',
  ink: '#1c1b19',
  muted: '#65625c',
  faint: '#a19d95',
  rule: '#e4e1da',
  grid: '#eeece7',
  accent: '#d1440c',
  accentSoft: '#f0a381',
  limit: '#85817a',
  yardstick: '#3a3833',
  good: '#0a6b52',
  bad: '#a3174a',
  p0: '#2f66c9',
  p1: '#0a5f5a',
  p2: '#9a63c9',
  p3: '#4fa3d9',
  p4: '#6a4413',
  p5: '#c07fab',
  p6: '#23285f',
  p7: '#7c1d5c',
} as const;

export type Theme = Readonly<Record<keyof typeof LIGHT, string>>;

export const DARK: Theme = {
  ground: '#0f1114',
  surface: '#16191d',
  ink: '#ece9e4',
  muted: '#a19d95',
  faint: '#6f6c66',
  rule: '#2b2f35',
  grid: '#22262b',
  accent: '#ff7a3d',
  accentSoft: '#9c5433',
  limit: '#8b8881',
  yardstick: '#d6d2ca',
  good: '#4cc9a0',
  bad: '#ff7a9c',
  p0: '#5b8def',
  p1: '#3fcfae',
  p2: '#b58cf5',
  p3: '#a9dcf9',
  p4: '#e8cf5a',
  p5: '#e9a6cf',
  p6: '#3c9aa8',
  p7: '#b87a4c',
};

export const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif";

/** Number of colours for peers. */
export const PEER_COLOURS = 8;

/** The theme as custom properties of CSS: accentSoft is --accent-soft. */
export function customProperties(theme: Theme): string {
  return Object.entries(theme)
    .map(([name, colour]) => `--${propertyName(name)}:${colour}`)
    .join(';');
}

export function propertyName(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
