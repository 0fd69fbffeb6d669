/** theme: the colours, light and dark: those of the bench's report, so that both are one family. */

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
  good: '#0a6b52',
  bad: '#a3174a',
  second: '#2f66c9',
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
  good: '#4cc9a0',
  bad: '#ff7a9c',
  second: '#5b8def',
};

export const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif";

/** The theme as custom properties of CSS: accentSoft is --accent-soft. */
export function customProperties(theme: Theme): string {
  return Object.entries(theme)
    .map(([name, colour]) => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}:${colour}`)
    .join(';');
}
