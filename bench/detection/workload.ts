/** Rules and events in the shape of those that centres run: a fleet's own, and those of the public set. */

/** Events of one stream; enough that no cache holds them all. */
const EVENTS = 20_000;

/** Numbers that follow from a seed. */
function drawer(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const KINDS = [
  'manifest.refused',
  'report.replayed',
  'request.refused',
  'authorisation.denied',
  'update.failed',
  'ecu.attack-reported',
  'certificate.refused',
  'consent.given',
  'update.completed',
  'client.event',
] as const;
const CODES = Array.from({ length: 60 }, (_, index) => `REASON_${index}`);

/** 150 rules over a fleet's events, and 50 correlations of them over vehicles and callers. */
export function fleetRules(): string {
  const rules = Array.from(
    { length: 150 },
    (_, index) => `title: fleet ${index}
id: fleet-${index}
logsource: { product: ota-cloud }
detection:
  kind: { kind: ${KINDS[index % KINDS.length]} }
  code: { code: [${CODES[index % 60]}, ${CODES[(index * 7) % 60]}] }
  route: { route|contains: /part${index}/ }
  condition: ${index % 3 === 0 ? 'kind and code' : index % 3 === 1 ? 'kind and route' : 'kind and code and not route'}
`,
  );
  const correlations = Array.from(
    { length: 50 },
    (_, index) => `title: joined ${index}
id: joined-${index}
correlation:
  type: ${index % 2 === 0 ? 'event_count' : 'value_count'}
  rules: [fleet-${index * 3}]
  group-by: [${index % 2 === 0 ? 'vehicleId' : 'by'}]
  timespan: 10m
  condition: { ${index % 2 === 0 ? '' : 'field: vehicleId, '}gte: ${5 + (index % 10)} }
`,
  );
  return [...rules, ...correlations].join('---\n');
}

/** Events of a fleet as lines of JSON, as the centre's intake gets them. */
export function fleetEvents(): readonly string[] {
  const draw = drawer(7);
  return Array.from({ length: EVENTS }, (_, index) =>
    JSON.stringify({
      id: `e${index}`,
      at: 1_700_000_000_000 + index * 10,
      fields: {
        kind: KINDS[draw(KINDS.length)],
        code: CODES[draw(60)],
        vehicleId: `VIN${String(draw(1_000_000)).padStart(14, '0')}`,
        by: `caller-${draw(500)}`,
        route: `/api/v1/part${draw(400)}/thing`,
        address: `10.${draw(200)}.${draw(200)}.${draw(200)}`,
      },
    }),
  );
}

const PROGRAMS = Array.from({ length: 500 }, (_, index) => `\\\\tool${index}x.exe`);
const WORDS = Array.from({ length: 900 }, (_, index) => `--option${index}y`);

/** 1,400 rules as the public set has most of: programs by their ends, command lines by their pieces. */
export function processRules(): string {
  const draw = drawer(11);
  return Array.from({ length: 1400 }, (_, index) => {
    const program = PROGRAMS[draw(500)] ?? '';
    const [first, second, third] = [draw(900), draw(900), draw(900)].map((at) => WORDS[at] ?? '');
    const detection =
      index % 20 === 0
        ? `  cmd: { CommandLine|re: 'tool${index}[a-z]{2,5}\\.(ps1|vbs)' }\n  condition: cmd`
        : index % 3 === 0
          ? `  img: { Image|endswith: '${program.slice(1)}' }\n  cmd: { CommandLine|contains|all: ['${first}', '${second}'] }\n  condition: img and cmd`
          : `  img: { Image|endswith: ['${program.slice(1)}', '\\host${index}.exe'] }\n  cmd: { CommandLine|contains: ['${first}', '${second}', '${third}'] }\n  parent: { ParentImage|endswith: '\\explorer.exe' }\n  condition: img and cmd and not parent`;
    return `title: process ${index}\nid: process-${index}\nlogsource: { product: windows, category: process_creation }\ndetection:\n${detection}\n`;
  }).join('---\n');
}

/** Process events with command lines of some 150 characters. */
export function processEvents(): readonly string[] {
  const draw = drawer(13);
  return Array.from({ length: EVENTS }, (_, index) => {
    const options = Array.from({ length: 6 }, () => WORDS[draw(900)] ?? '').join(' ');
    return JSON.stringify({
      id: `p${index}`,
      at: 1_700_000_000_000 + index,
      fields: {
        Image: `C:\\Program Files\\Vendor\\tool${draw(500)}x.exe`,
        CommandLine: `"C:\\Program Files\\Vendor\\tool${draw(500)}x.exe" ${options} D:\\data\\me\\file${draw(9999)}.txt`,
        ParentImage:
          draw(2) === 0 ? 'C:\\Windows\\explorer.exe' : 'C:\\Windows\\System32\\svchost.exe',
        User: `DOMAIN\\user${draw(300)}`,
        ProcessId: draw(65_536),
      },
    });
  });
}
