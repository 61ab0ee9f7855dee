/** How the console looks: one calm brand colour, and state colours that everybody can tell apart. */
import type { MantineThemeOverride } from '@mantine/core';

/** Petrol for what can be acted on; amber, vermilion and violet for states (see `parts/tone.ts`). */
export const THEME: MantineThemeOverride = {
  primaryColor: 'petrol',
  primaryShade: { light: 8, dark: 7 },
  autoContrast: true,
  defaultRadius: 'md',
  cursorType: 'pointer',
  focusRing: 'auto',
  fontFamily:
    'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Noto Sans SC", "PingFang SC", "Microsoft YaHei", sans-serif',
  fontFamilyMonospace: 'ui-monospace, "Cascadia Mono", "SF Mono", Menlo, Consolas, monospace',
  headings: { fontWeight: '650' },
  fontSizes: { xs: '0.75rem', sm: '0.8125rem', md: '0.875rem', lg: '1rem', xl: '1.25rem' },
  colors: {
    petrol: [
      '#e8f7f8',
      '#d3ecee',
      '#a6d8dc',
      '#76c3ca',
      '#4fb1ba',
      '#36a6b0',
      '#23919b',
      '#127f89',
      '#0b6b74',
      '#04525a',
    ],
    vermilion: [
      '#fff0ea',
      '#fbdfd5',
      '#f3bda9',
      '#ec997a',
      '#e67a52',
      '#e26639',
      '#d55e2b',
      '#b94a1d',
      '#a34018',
      '#8d3510',
    ],
    dark: [
      '#d5dbe0',
      '#b4bdc5',
      '#94a1ab',
      '#65727d',
      '#3d4851',
      '#2f3941',
      '#232c33',
      '#1a2228',
      '#141a1f',
      '#0f1418',
    ],
  },
};
