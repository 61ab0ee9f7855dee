import type { graph as EN } from '../en/graph.ts';
import type { Shape } from '../shape.ts';

/** The dependency graph with the answer of the solver. */
export const graph: Shape<typeof EN> = {
  title: 'Wege zu {{name}}',
  lead: 'Jeder Stand der Freigabe: worüber er installiert, was er braucht und womit er sich nicht verträgt.',
  release: 'Freigabe',
  label:
    'Stände als Kästen in Spalten nach Reihenfolge; Pfeile führen von dem, was läuft, zu dem, was folgen kann. Die Tabelle der Freigabe enthält dasselbe.',
  legend: {
    over: 'installiert über',
    requires: 'braucht',
    conflicts: 'verträgt sich nicht',
  },
  ask: 'Den Löser fragen',
  askHint: 'Was ist der kürzeste sichere Weg eines Fahrzeugs, oder was steht dagegen?',
  vehicle: 'Kennung des Fahrzeugs',
  solve: 'Weg finden',
  path: 'Es gibt einen Weg in {{count}} Schritten',
  there: 'Es führt die Freigabe schon aus.',
  step: 'Schritt {{step}}: gemeinsam',
  none: 'Es gibt keinen sicheren Weg',
  clash: 'Diese Tatsachen schließen sich aus. Nimmt man eine weg, gibt es einen Weg.',
  kinds: {
    runs: 'läuft jetzt',
    goal: 'Ziel',
    'installs-over': 'installiert über',
    requires: 'braucht',
    conflicts: 'Widerspruch',
    bound: 'Grenze der Suche',
  },
};
