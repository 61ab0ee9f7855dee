/**
 * What a secured message carries of its freshness and its authenticator.
 *
 * @source AUTOSAR PRS SecOC, profiles 1 to 3
 */

/** The profiles by the names that the standard gives them. */
export const SECOC_PROFILE_NAMES = ['24Bit-CMAC-8Bit-FV', '24Bit-CMAC-No-FV', 'JASPAR'] as const;

/** See SECOC_PROFILE_NAMES. The second proves where a message is from, but not that it is new. */
export type SecocProfileName = (typeof SECOC_PROFILE_NAMES)[number];

/** Bits on the wire; together they fill whole bytes, four at most. */
export interface SecocProfile {
  readonly freshnessBits: number;
  readonly macBits: number;
}

/** The lengths of each profile. */
export const SECOC_PROFILES: Readonly<Record<SecocProfileName, SecocProfile>> = {
  '24Bit-CMAC-8Bit-FV': { freshnessBits: 8, macBits: 24 },
  '24Bit-CMAC-No-FV': { freshnessBits: 0, macBits: 24 },
  JASPAR: { freshnessBits: 4, macBits: 28 },
};

/** Tells how many bytes a profile adds to a message. */
export function trailerBytes(profile: SecocProfile): number {
  return (profile.freshnessBits + profile.macBits) / 8;
}
