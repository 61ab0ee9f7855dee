/** Where failures gather. */
export const failures = {
  title: 'Where failures gather',
  lead: 'Hardware against what ran before. A dark cell is a cause; open it to see the vehicles.',
  campaign: 'Campaign',
  hardware: 'Hardware',
  ranBefore: 'Ran before',
  of: '{{failures}} of {{outcomes}}',
  open: '{{hardware}} from {{source}}: {{failures}} of {{outcomes}} failed. Show the vehicles.',
  worst: 'The worst',
  worstSaid: '{{share}} of {{hardware}} that ran {{source}} failed.',
  codes: 'Reasons',
  legend: 'Share that failed: pale under 1 %, then under 5 %, and above.',
  empty: 'Nothing has failed',
  emptyHint: 'Cells appear with the first outcome.',
} as const;
