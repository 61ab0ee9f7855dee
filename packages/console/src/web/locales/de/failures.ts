import type { failures as EN } from '../en/failures.ts';
import type { Shape } from '../shape.ts';

/** Where failures gather. */
export const failures: Shape<typeof EN> = {
  title: 'Wo sich Fehler häufen',
  lead: 'Hardware gegen das, was zuvor lief. Eine dunkle Zelle ist eine Ursache; öffnen Sie sie, um die Fahrzeuge zu sehen.',
  campaign: 'Kampagne',
  hardware: 'Hardware',
  ranBefore: 'Lief zuvor',
  of: '{{failures}} von {{outcomes}}',
  open: '{{hardware}} von {{source}}: {{failures}} von {{outcomes}} fehlgeschlagen. Fahrzeuge zeigen.',
  worst: 'Am schlimmsten',
  worstSaid: '{{share}} von {{hardware}} mit {{source}} sind fehlgeschlagen.',
  codes: 'Gründe',
  legend: 'Anteil der Fehler: hell unter 1 %, dann unter 5 %, und darüber.',
  empty: 'Nichts ist fehlgeschlagen',
  emptyHint: 'Zellen erscheinen mit dem ersten Ergebnis.',
};
