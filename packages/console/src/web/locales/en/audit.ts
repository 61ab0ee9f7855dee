/** The audit log. */
export const audit = {
  title: 'Audit log',
  lead: 'Who changed what, and why. Chained by hashes: nothing can be taken out unseen.',
  kind: 'Kind begins with',
  by: 'By',
  from: 'From',
  to: 'Until',
  at: 'At',
  what: 'What',
  details: 'Details',
  hash: 'Hash',
  verify: 'Check the chain',
  intact: 'The chain is whole: {{checked}} entries checked, head {{head}}.',
  broken: 'The chain is broken',
  empty: 'No entry matches',
  emptyHint: 'Take a filter away.',
} as const;
