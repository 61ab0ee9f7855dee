/** Colours of charts, for light and dark; chosen so that neighbours differ in lightness too. */

/** What a chart is drawn with. */
export interface ChartColours {
  readonly text: string;
  readonly faint: string;
  readonly line: string;
  readonly surface: string;
  readonly good: string;
  readonly bad: string;
  readonly warn: string;
  readonly busy: string;
  readonly held: string;
  readonly band: string;
  /** Okabe and Ito's, tuned for each ground; repeated when there are more series. */
  readonly series: readonly string[];
}

const LIGHT: ChartColours = {
  text: '#2b353c',
  faint: '#5c6973',
  line: '#dde3e7',
  surface: '#ffffff',
  good: '#0b7a75',
  bad: '#b94a1d',
  warn: '#b07d00',
  busy: '#2269b3',
  held: '#7a4fb5',
  band: '#0b6b7426',
  series: ['#0b6b74', '#e69f00', '#2269b3', '#c4578f', '#5aa9c9', '#8a6d3b', '#6b7780', '#b94a1d'],
};
const DARK: ChartColours = {
  text: '#d5dbe0',
  faint: '#94a1ab',
  line: '#313b43',
  surface: '#1a2228',
  good: '#3fc1b0',
  bad: '#f0875d',
  warn: '#e8b33c',
  busy: '#6cb2f5',
  held: '#b795ee',
  band: '#36a6b033',
  series: ['#36a6b0', '#f0b93a', '#6cb2f5', '#e58ab9', '#9ad3ea', '#c2a878', '#94a1ab', '#f0875d'],
};

/** Finds the colours for a ground. */
export function chartColours(scheme: 'light' | 'dark'): ChartColours {
  return scheme === 'dark' ? DARK : LIGHT;
}
