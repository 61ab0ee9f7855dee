/** The dependency graph with the answer of the solver. */
export const graph = {
  title: 'Ways to {{name}}',
  lead: 'Every image of the release, what it installs over, what it needs, and what it does not go with.',
  release: 'Release',
  label:
    'Images as boxes in columns by order; arrows lead from what runs to what can follow. The table of the release holds the same facts.',
  legend: {
    over: 'installs over',
    requires: 'needs',
    conflicts: 'clashes',
  },
  ask: 'Ask the solver',
  askHint: 'Which is the shortest safe way of one vehicle, or what stands against it?',
  vehicle: 'Id of the vehicle',
  solve: 'Find the way',
  path: 'There is a way of {{count}} steps',
  there: 'It runs the release already.',
  step: 'Step {{step}}: together',
  none: 'There is no safe way',
  clash: 'These facts clash. Take any one away and there is a way.',
  kinds: {
    runs: 'runs now',
    goal: 'goal',
    'installs-over': 'installs over',
    requires: 'needs',
    conflicts: 'clashes',
    bound: 'bound of the search',
  },
} as const;
