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

/**
 * How far a vehicle came in a campaign, in this order; it never goes back. `installed` is the vehicle's
 * own word; `booted` on, only its ECUs' signed reports count, and `healthy` means that it stayed so.
 */
export const CAMPAIGN_STAGES = [
  'targeted',
  'reachable',
  'notified',
  'consented',
  'downloaded',
  'ready',
  'installed',
  'booted',
  'healthy',
] as const;
/** One of them. */
export type CampaignStage = (typeof CAMPAIGN_STAGES)[number];

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
  CAMPAIGN_HELD: {
    meaning: 'The campaign holds by itself: too many vehicles were harmed.',
    nextStep: 'Look at the failures, then resume or cancel the campaign.',
    actor: 'operator',
  },
  CAMPAIGN_OVER: {
    meaning: 'The time in which the campaign makes offers is over.',
    nextStep: 'Plan another campaign.',
    actor: 'operator',
  },
  RELEASE_BLOCKED: {
    meaning: 'The release was blocked: nothing of it is offered.',
    nextStep: 'Release a version without the fault.',
    actor: 'operator',
  },
  LATER_WAVE: {
    meaning: 'The vehicle belongs to a wave that is not open yet.',
    nextStep: 'Wait until the waves before it have proved themselves.',
    actor: 'nobody',
  },
  CONTROL_GROUP: {
    meaning: 'The vehicle is left untouched for now, to compare the others with.',
    nextStep: 'Wait for the last wave.',
    actor: 'nobody',
  },
  PENALTY_BOX: {
    meaning: 'It failed a short while ago and is left alone for some time.',
    nextStep: 'Wait until the time told is over; it is tried again then.',
    actor: 'nobody',
  },
  RATE_CAP: {
    meaning: 'The campaign makes no more offers in this hour.',
    nextStep: 'Wait, or raise the cap.',
    actor: 'nobody',
  },
  SPREAD: {
    meaning: 'Its turn comes later: offers are spread so that not all vehicles come at once.',
    nextStep: 'Wait for the time told.',
    actor: 'nobody',
  },
  AWAITING_NETWORK: {
    meaning: 'The vehicle waits for a network that the campaign allows.',
    nextStep: 'Bring it into reach of an unmetered network.',
    actor: 'owner',
  },
  AWAITING_WINDOW: {
    meaning: 'The vehicle waits for the hours in which it may install.',
    nextStep: 'Wait for the time told.',
    actor: 'nobody',
  },
  TAKEN_BACK: {
    meaning: 'It ran the release, and its signed report names another image again.',
    nextStep: 'Find out why it was taken back; offer it again or send it to a workshop.',
    actor: 'operator',
  },
  UNHEALTHY: {
    meaning: 'It boots the release, and is not as healthy as before.',
    nextStep: 'Read what it reports; send it to a workshop, or roll back.',
    actor: 'workshop',
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
  AWAITING_TECHNICIAN: {
    meaning: 'Everything is ready; a technician has to stand by, or to finish the work.',
    nextStep: 'Take the vehicle to a workshop, where a technician approves the step.',
    actor: 'workshop',
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
