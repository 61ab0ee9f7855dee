import type { rxswin as EN } from '../en/rxswin.ts';
import type { Shape } from '../shape.ts';

/** The RXSWIN register. */
export const rxswin: Shape<typeof EN> = {
  title: 'RXSWIN-Register',
  lead: 'Welche Software hinter jeder RXSWIN steht, vor und nach jeder Änderung. Auf Dauer bewahrt, durch Hashes verkettet {R156 7.1.2.3}.',
  regulation: 'Regelung',
  rxswin: 'RXSWIN',
  before: 'Zuvor',
  release: 'Freigabe',
  approval: 'Genehmigung',
  software: 'Software danach',
  softwareBefore: 'Software zuvor',
  vehicles: 'Fahrzeuge',
  disagreeing: 'Uneinig',
  since: 'Seit',
  empty: 'Keine RXSWIN ist eingetragen',
  emptyHint: 'Sie erscheint mit der ersten Freigabe, die eine nennt.',
};
