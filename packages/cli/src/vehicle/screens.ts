/** The screens of a vehicle from its folder: who may decide stands in a small file beside its T-BOX. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Fault, isJsonObject, member, parseJson } from '@immota/base';
import {
  type ConsentAuthority,
  type ConsentPort,
  type ConsentRole,
  type ConsentRules,
  DEFAULT_AUTHORITY,
  parseAuthority,
} from '@immota/vehicle';
import { CliFault } from '../fault.ts';

/** `{ "authority": { "owner": ["download", "install", "activate"] }, "timeZone": "Europe/Berlin" }`. */
const CONSENT_FILE = 'consent.json';
const CONSENT_MAX_BYTES = 16_384;

/** How screens are opened. */
export interface ScreensPlan {
  /** On the loopback; 0 takes a free one. */
  readonly port: number;
  /** For whom the code is that is shown. */
  readonly role: ConsentRole;
  readonly onPairingCode: (code: string, url: string) => void;
  readonly onRefusal: (fault: Fault<string>) => void;
  /** Puts a rule before the screens, or nothing. */
  readonly consentBy: (screens: ConsentPort) => ConsentPort;
}

/**
 * Reads who may decide, and by which clock.
 *
 * @param tbox - the T-BOX's folder.
 * @param timeZone - where the file names none.
 * @throws ConsentFault AUTHORITY_MALFORMED; CliFault FILE.
 */
export function readConsentFile(
  tbox: string,
  timeZone: string,
): Pick<ConsentRules, 'authority' | 'timeZone'> {
  const file = join(tbox, CONSENT_FILE);
  if (!existsSync(file)) return { authority: DEFAULT_AUTHORITY, timeZone };
  const stated = parseJson(readFileSync(file), CONSENT_MAX_BYTES);
  if (!isJsonObject(stated)) throw unreadable('it is no object');
  const zone = member(stated, 'timeZone') ?? timeZone;
  if (typeof zone !== 'string' || !isTimeZone(zone)) throw unreadable('its timeZone is none');
  return { authority: authorityOf(member(stated, 'authority')), timeZone: zone };
}

function authorityOf(stated: unknown): ConsentAuthority {
  return stated === undefined ? DEFAULT_AUTHORITY : parseAuthority(stated);
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name }).format();
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

function unreadable(why: string): CliFault {
  return new CliFault('FILE', `Cannot read ${CONSENT_FILE}: ${why}`);
}
