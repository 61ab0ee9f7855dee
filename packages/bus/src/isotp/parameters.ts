/** How one end of a link sends, and what it asks of the other. */
import type { Brand } from '@immota/base';
import { FD_LENGTHS } from '../can/frame.ts';
import { IsoTpFault } from './isotp-fault.ts';
import {
  MESSAGE_CEILING_BYTES,
  PADDING,
  PERFORMANCE_MS,
  PERFORMANCE_SHARE,
  SHORT_LENGTH_MAX_BYTES,
  TIMEOUT_MS,
  WAIT_FRAMES_MAX,
} from './limits.ts';
import { encodeSeparationTime } from './separation-time.ts';

/**
 * Times of the network layer in milliseconds {15765-2:2016 9.8}. N_Cs is none of them: a Consecutive Frame
 * is asked for when its pause ends.
 */
export interface IsoTpTimes {
  /** Time-out: a frame of a message must be on the bus. */
  readonly asMs: number;
  /** Time-out: a flow control frame must be on the bus. */
  readonly arMs: number;
  /** Time-out: the next flow control frame must come. */
  readonly bsMs: number;
  /** Performance: how long a receiver that is not ready leaves between two waits. */
  readonly brMs: number;
  /** Time-out: the next Consecutive Frame must come. */
  readonly crMs: number;
}

interface Values extends IsoTpTimes {
  /** Frames of CAN FD go out; those of the peer are heard. */
  readonly isFd: boolean;
  readonly isBitRateSwitched: boolean;
  /** TX_DL: bytes of a frame that is full. 8, and with FD up to 64. */
  readonly frameBytes: number;
  /** Fills short frames to 8 bytes; undefined sends no more than needed, where CAN knows that length. */
  readonly padding: number | undefined;
  /** BS: Consecutive Frames that we take before the sender waits for us; 0 takes all. */
  readonly blockSize: number;
  /** STmin: the pause that we ask for between Consecutive Frames. */
  readonly separationTimeUs: number;
  /** The longest message in either direction. */
  readonly messageMaxBytes: number;
  /** N_WFTmax: waits in a row that we send, and that we bear. */
  readonly waitFramesMax: number;
}

/** What a user of a link may set; the rest is as the standard has it. */
export type IsoTpSettings = { readonly [Name in keyof Values]?: Values[Name] | undefined };

/** Holding an IsoTpParameters tells you: each value is in its range, and they do not contradict each other. */
export type IsoTpParameters = Brand<Values, 'IsoTpParameters'>;

/**
 * Completes and checks settings.
 *
 * @throws IsoTpFault PARAMETER.
 */
export function isoTpParameters(settings: IsoTpSettings = {}): IsoTpParameters {
  const isFd = settings.isFd ?? false;
  const values: Values = {
    isFd,
    isBitRateSwitched: settings.isBitRateSwitched ?? isFd,
    frameBytes: settings.frameBytes ?? (isFd ? 64 : 8),
    padding: 'padding' in settings ? settings.padding : PADDING,
    blockSize: settings.blockSize ?? 0,
    separationTimeUs: settings.separationTimeUs ?? 0,
    messageMaxBytes: settings.messageMaxBytes ?? SHORT_LENGTH_MAX_BYTES,
    waitFramesMax: settings.waitFramesMax ?? WAIT_FRAMES_MAX,
    asMs: settings.asMs ?? TIMEOUT_MS,
    arMs: settings.arMs ?? TIMEOUT_MS,
    bsMs: settings.bsMs ?? TIMEOUT_MS,
    brMs: settings.brMs ?? PERFORMANCE_MS,
    crMs: settings.crMs ?? TIMEOUT_MS,
  };
  check('a frame of', values.frameBytes, isFrameLength(values.frameBytes, isFd));
  check('bit rates', isFd, isFd || !values.isBitRateSwitched);
  check('padding', values.padding, isWithin(values.padding ?? 0, 0, 0xff));
  check('block size', values.blockSize, isWithin(values.blockSize, 0, 0xff));
  check(
    'message',
    values.messageMaxBytes,
    isWithin(values.messageMaxBytes, 1, MESSAGE_CEILING_BYTES),
  );
  check('waits', values.waitFramesMax, isWithin(values.waitFramesMax, 0, 0xff));
  encodeSeparationTime(values.separationTimeUs);
  for (const name of ['asMs', 'arMs', 'bsMs', 'brMs', 'crMs'] as const) {
    check(name, values[name], values[name] > 0 && Number.isFinite(values[name]));
  }
  check('brMs', values.brMs, values.brMs < PERFORMANCE_SHARE * values.bsMs);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- minted: checked above
  return values as IsoTpParameters;
}

function isFrameLength(lengthBytes: number, isFd: boolean): boolean {
  return isFd ? lengthBytes >= 8 && FD_LENGTHS.includes(lengthBytes) : lengthBytes === 8;
}

function isWithin(value: number, min: number, max: number): boolean {
  return Number.isInteger(value) && value >= min && value <= max;
}

function check(what: string, value: unknown, isSound: boolean): void {
  if (!isSound) throw new IsoTpFault('PARAMETER', `Cannot open link: ${what} ${String(value)}`);
}
