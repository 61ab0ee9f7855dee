/** Bundles the console with Vite: chunks by screen, a style sheet instead of styles in the page, no maps. */
import {
  convertCssVariables,
  DEFAULT_THEME,
  defaultCssVariablesResolver,
  mergeMantineTheme,
} from '@mantine/core';
import react from '@vitejs/plugin-react';
import { build, type Plugin } from 'vite';
import { THEME } from './web/app/theme.ts';

/** The style sheet that holds the theme's variables once it is built. */
const THEME_SHEET = '/app/theme.css';
const BROWSERS = ['chrome120', 'edge120', 'firefox121', 'safari17.4'];

/**
 * Bundles the console.
 *
 * @param web - the folder with `index.html`.
 * @param folder - where to write to; emptied before.
 */
export async function bundleConsole(web: string, folder: string): Promise<void> {
  await build({
    root: web,
    configFile: false,
    logLevel: 'warn',
    plugins: [react(), themeSheet()],
    // In the browser the contract's schemas only parse; what describes them to others stays behind.
    define: { 'process.env.NODE_ENV': '"production"' },
    build: {
      outDir: folder,
      emptyOutDir: true,
      target: BROWSERS,
      // A picture inside a style sheet is a `data:` address; all others are files.
      assetsInlineLimit: 0,
      chunkSizeWarningLimit: 1200,
      reportCompressedSize: false,
    },
  });
}

/** Writes the theme's variables into a style sheet, because a page may hold no styles (ADR 121). */
function themeSheet(): Plugin {
  return {
    name: 'immota-theme-sheet',
    load: (id) => {
      if (!id.endsWith(THEME_SHEET)) return;
      const theme = mergeMantineTheme(DEFAULT_THEME, THEME);
      return convertCssVariables(defaultCssVariablesResolver(theme), ':root');
    },
  };
}
