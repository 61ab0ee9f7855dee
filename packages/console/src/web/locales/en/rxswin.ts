/** The RXSWIN register. */
export const rxswin = {
  title: 'RXSWIN register',
  lead: 'Which software stands behind each RXSWIN, before and after every change. Kept for good, chained by hashes {R156 7.1.2.3}.',
  regulation: 'Regulation',
  rxswin: 'RXSWIN',
  before: 'Before',
  release: 'Release',
  approval: 'Approval',
  software: 'Software after',
  softwareBefore: 'Software before',
  vehicles: 'Vehicles',
  disagreeing: 'Disagree',
  since: 'Since',
  empty: 'No RXSWIN is registered',
  emptyHint: 'It appears with the first release that names one.',
} as const;
