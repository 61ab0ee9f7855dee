// Plain JavaScript, because it speaks to a Node that cannot read TypeScript yet.
const NODE_MAJOR_MIN = 26;
const major = Number.parseInt(process.versions.node, 10);
if (major < NODE_MAJOR_MIN) {
  console.error(
    [
      `Immota needs Node ${NODE_MAJOR_MIN}; this is Node ${process.versions.node} (${process.execPath}).`,
      'Run "npm ci" and then the npm script ("npm test", "npm run demo"): npm ci brings Node 26 into',
      'node_modules, and npm scripts find it there. It comes for Linux (x64, arm64) and Windows (x64);',
      `elsewhere, or after "npm ci --omit=optional", install Node ${NODE_MAJOR_MIN} yourself: https://nodejs.org.`,
    ].join('\n'),
  );
  process.exit(1);
}
