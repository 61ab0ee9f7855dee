import type { audit as EN } from '../en/audit.ts';
import type { Shape } from '../shape.ts';

/** The audit log. */
export const audit: Shape<typeof EN> = {
  title: 'Änderungsprotokoll',
  lead: 'Wer was geändert hat, und warum. Durch Hashes verkettet: Nichts lässt sich unbemerkt entfernen.',
  kind: 'Art beginnt mit',
  by: 'Von',
  from: 'Von',
  to: 'Bis',
  at: 'Um',
  what: 'Was',
  details: 'Einzelheiten',
  hash: 'Hash',
  verify: 'Kette prüfen',
  intact: 'Die Kette ist heil: {{checked}} Einträge geprüft, Kopf {{head}}.',
  broken: 'Die Kette ist gebrochen',
  empty: 'Kein Eintrag passt',
  emptyHint: 'Nehmen Sie einen Filter weg.',
};
