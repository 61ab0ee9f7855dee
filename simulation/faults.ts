/**
 * Which faults a run has, and when they strike. Swarm testing: each run leaves some kinds out, so that
 * the common ones do not hide what only the rare ones reach.
 */
import type { Chance } from './chance.ts';

/** What can happen to one exchange between a vehicle and the cloud. */
export const NETWORK_FAULTS = [
  /** The request never arrives. */
  'request-lost',
  /** The cloud does it, and the answer never arrives. */
  'answer-lost',
  /** Nothing comes back until the vehicle gives up. */
  'silence',
  /** The request arrives twice at once. */
  'duplicated',
  /** The request arrives again much later. */
  'echoed-later',
  /** The connection is reset in the middle of the answer. */
  'reset',
  /** The answer ends early as if it were whole. */
  'truncated',
  /** A byte of the answer is another. */
  'flipped',
  /** A byte of the request is another. */
  'flipped-request',
  /** The answer crawls. */
  'slow',
  /** The answer comes late. */
  'delayed',
  /** Somebody answers that he cannot. */
  'server-error',
  /** Somebody sends the vehicle elsewhere. */
  'redirected',
  /** A man in the middle answers what was true earlier. */
  'replayed',
  /** A man in the middle answers what is true for another vehicle. */
  'foreign',
  /** A man in the middle changes what the metadata say, and signs with a key of his own. */
  'forged',
  /** A man in the middle gives other software of the right length. */
  'planted',
] as const;

/** What can happen between the T-BOX and an ECU. */
export const LINK_FAULTS = [
  'link-request-lost',
  'link-answer-lost',
  'link-transfer-broken',
  /** A node in the vehicle hands an ECU old metadata. */
  'link-replayed',
  /** A node in the vehicle offers an ECU other software. */
  'link-planted',
  /** A node in the vehicle tells an ECU to boot. */
  'link-activated',
] as const;

/** What can happen to the machines. */
export const MACHINE_FAULTS = [
  'cloud-killed',
  'cloud-killed-at-statement',
  'primary-power',
  'secondary-power',
  /** A vehicle's own clock is wrong from its boot on. */
  'clock-skew',
  /** A new image is not healthy at its first boot. */
  'unhealthy-once',
] as const;

/** What happens seldom enough to have a draw of its own: the stories of other seeds stay as they are. */
export const RARE_FAULTS = [
  /** A workshop puts another ECU in, with keys and old software of its own. */
  'ecu-replaced',
] as const;

export type NetworkFault = (typeof NETWORK_FAULTS)[number];
export type LinkFault = (typeof LINK_FAULTS)[number];
export type MachineFault = (typeof MACHINE_FAULTS)[number];
export type RareFault = (typeof RARE_FAULTS)[number];
export type AnyFault = NetworkFault | LinkFault | MachineFault | RareFault;

/** All of them. */
export const ALL_FAULTS: readonly AnyFault[] = [
  ...NETWORK_FAULTS,
  ...LINK_FAULTS,
  ...MACHINE_FAULTS,
  ...RARE_FAULTS,
];

/** The faults of one run. */
export class Faults {
  readonly #enabled: ReadonlySet<AnyFault>;
  readonly #network: Chance;
  readonly #link: Chance;
  readonly #networkRate: number;
  readonly #linkRate: number;
  /** False once the weather clears: then nothing more strikes. */
  isOn = true;

  /** @param only - the faults that strike, and often; the seed chooses when left out, and none is a calm run. */
  constructor(chance: Chance, only?: readonly AnyFault[]) {
    const all = [...NETWORK_FAULTS, ...LINK_FAULTS, ...MACHINE_FAULTS];
    const chosen = chance.fork('swarm');
    const rare = chance.fork('rare faults');
    const enabled = [
      ...all.filter(() => chosen.happens(0.6)),
      ...RARE_FAULTS.filter(() => rare.happens(0.3)),
    ];
    this.#enabled = new Set(only ?? enabled);
    this.#network = chance.fork('network faults');
    this.#link = chance.fork('link faults');
    const rates = [chosen.pick([0.02, 0.08, 0.2]), chosen.pick([0.02, 0.06, 0.15])] as const;
    [this.#networkRate, this.#linkRate] = only === undefined ? rates : [0.2, 0.15];
  }

  /** Whether a kind strikes in this run, at this time. */
  has(kind: AnyFault): boolean {
    return this.isOn && this.#enabled.has(kind);
  }

  /** What happens to an exchange. */
  drawNetwork(): NetworkFault | undefined {
    return this.#draw(this.#network, this.#networkRate, NETWORK_FAULTS);
  }

  /** What happens to a call of an ECU. */
  drawLink(): LinkFault | undefined {
    return this.#draw(this.#link, this.#linkRate, LINK_FAULTS);
  }

  #draw<Kind extends AnyFault>(
    chance: Chance,
    rate: number,
    kinds: readonly Kind[],
  ): Kind | undefined {
    if (!this.isOn || !chance.happens(rate)) return undefined;
    const possible = kinds.filter((kind) => this.#enabled.has(kind));
    return possible.length === 0 ? undefined : chance.pick(possible);
  }
}
