// Before everything else; a file of its own, because the content security policy lets no script stand
// in the page.
{
  // Before the first paint, so that nobody who works in the dark is dazzled.
  const chosen = localStorage.getItem('mantine-color-scheme-value');
  const isDark = matchMedia('(prefers-color-scheme: dark)').matches;
  const scheme = chosen === 'light' || chosen === 'dark' ? chosen : isDark ? 'dark' : 'light';
  document.documentElement.setAttribute('data-mantine-color-scheme', scheme);
  // Before the first schema: they are walked instead of compiled, since no text may become code.
  globalThis.__zod_globalConfig = { jitless: true };
}
