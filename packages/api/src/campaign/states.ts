/** Where a vehicle stands in a campaign, and why it is not further. */

/**
 * The states of a vehicle in a campaign. They follow from signed reports alone; what a vehicle merely
 * announces by unsigned events moves nothing.
 *
 * `targeted` in the scope, nothing offered yet · `offered` metadata is signed for it · `in-flight` it
 * fetched them · `updated` every ECU's signed report after boot names the new image · `failed` a
 * signed report says so, or it refused too often · `not-needed` it ran the release already ·
 * `blocked` no safe path, or another campaign goes first · `cancelled`.
 */
export const VEHICLE_STATES = [
  'targeted',
  'offered',
  'in-flight',
  'updated',
  'failed',
  'not-needed',
  'blocked',
  'cancelled',
] as const;
/** One of them. */
export type VehicleState = (typeof VEHICLE_STATES)[number];

/** Who must act before a vehicle can be updated. */
export type Actor = 'nobody' | 'operator' | 'owner' | 'vehicle' | 'workshop' | 'security';

/** A reason in words. */
export interface ReasonText {
  readonly meaning: string;
  readonly nextStep: string;
  readonly actor: Actor;
}

/** What is said of a vehicle that has no reason any more. */
export const UPDATED: ReasonText = {
  meaning: 'Every ECU runs the release, by its own signed report.',
  nextStep: 'None.',
  actor: 'nobody',
};

/** Every reason why a vehicle is not updated, with the next step and who must take it. */
export const REASONS = {
  NOT_SEEN: {
    meaning: 'The vehicle has not asked since the campaign began.',
    nextStep: 'Wait for its next contact, or wake it up.',
    actor: 'vehicle',
  },
  NEVER_REGISTERED: {
    meaning: 'The vehicle has never registered its ECUs.',
    nextStep: 'Check its provisioning.',
    actor: 'workshop',
  },
  CAMPAIGN_NOT_RUNNING: {
    meaning: 'The campaign is planned or paused.',
    nextStep: 'Start or resume the campaign.',
    actor: 'operator',
  },
  OFFERED: {
    meaning: 'Signed metadata is ready; the vehicle has not fetched it yet.',
    nextStep: 'Wait for its next contact.',
    actor: 'vehicle',
  },
  NEXT_STEP: {
    meaning: 'The vehicle completed a step; the next one on its way to the release follows.',
    nextStep: 'Wait for its next contact.',
    actor: 'vehicle',
  },
  AWAITING_REPORT: {
    meaning: 'The vehicle fetched the update; no signed report of its result has come.',
    nextStep: 'Wait for the installation and the next contact.',
    actor: 'vehicle',
  },
  AWAITING_CONSENT: {
    meaning: 'The owner has not agreed yet.',
    nextStep: 'The owner answers on the head unit or the phone.',
    actor: 'owner',
  },
  CONSENT_DECLINED: {
    meaning: 'The owner declined.',
    nextStep: 'Explain the update to the owner, or offer it in a workshop.',
    actor: 'owner',
  },
  NO_PATH: {
    meaning: 'No sequence of released images leads from what it runs to the release.',
    nextStep: 'Release the missing intermediate version, or narrow the campaign.',
    actor: 'operator',
  },
  HARDWARE_UNKNOWN: {
    meaning: 'No image of the release fits one of its ECUs.',
    nextStep: 'Add an image for that hardware, or narrow the campaign.',
    actor: 'operator',
  },
  OTHER_CAMPAIGN: {
    meaning: 'Another campaign is under way in this vehicle.',
    nextStep: 'Wait until it ends, or cancel it.',
    actor: 'operator',
  },
  ECU_MISSING: {
    meaning: 'A registered ECU does not report.',
    nextStep: 'Check the ECU in a workshop, or register its replacement.',
    actor: 'workshop',
  },
  ECU_REPLACED: {
    meaning: 'An ECU reports with a key that is not registered.',
    nextStep: 'Approve the replacement, or investigate.',
    actor: 'operator',
  },
  ENCRYPTION_KEY_MISSING: {
    meaning: 'An ECU has not handed in the key that its encrypted image must be wrapped for.',
    nextStep: 'Wait for the vehicle to send it, or release the image in the clear.',
    actor: 'vehicle',
  },
  DOWNLOAD_FAILED: {
    meaning: 'The vehicle could not download the image, or its bytes were not the signed ones.',
    nextStep: 'Check the CDN; the vehicle tries again.',
    actor: 'operator',
  },
  VERIFICATION_FAILED: {
    meaning: 'The vehicle refused metadata or image as not trustworthy.',
    nextStep: 'Investigate: it may be an attack.',
    actor: 'security',
  },
  REFUSED_SILENTLY: {
    meaning: 'The vehicle fetched the metadata and came back without a word, several times.',
    nextStep: 'Investigate: it refuses the metadata, or they are being replaced on the way.',
    actor: 'security',
  },
  INSTALL_FAILED: {
    meaning: 'An ECU could not install or boot the image and runs the old one.',
    nextStep: 'Read its report; offer again or send the vehicle to a workshop.',
    actor: 'operator',
  },
  PRECONDITION: {
    meaning: 'The vehicle waits until it is safe to install.',
    nextStep: 'Park, charge, or meet what the measured value says.',
    actor: 'owner',
  },
  QUARANTINED: {
    meaning: 'The vehicle or its certificate is barred.',
    nextStep: 'Investigate, then lift the bar.',
    actor: 'security',
  },
  CANCELLED: {
    meaning: 'The campaign was cancelled.',
    nextStep: 'None.',
    actor: 'nobody',
  },
  ALREADY_RUNS_IT: {
    meaning: 'Every ECU ran the release before.',
    nextStep: 'None.',
    actor: 'nobody',
  },
} as const satisfies Readonly<Record<string, ReasonText>>;

/** The code of a reason. */
export type ReasonCode = keyof typeof REASONS;
