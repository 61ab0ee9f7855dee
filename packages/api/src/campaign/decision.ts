/** The words that a person signs when they hand a campaign in, approve it or reject it. */

/** See the head of the file. */
export interface CampaignDecision {
  readonly campaignId: string;
  /** Of everything that is decided: SHA-256, hex. */
  readonly contentSha256: string;
  /** Of the release's dossier, which covers the release itself: SHA-256, hex. */
  readonly dossierSha256: string;
  readonly decision: 'submit' | 'approve' | 'reject';
  /** Left out of the words when it is empty. */
  readonly note?: string | undefined;
  /** RFC 3339, as it is sent beside the signature. */
  readonly signedAt: string;
}

/**
 * Writes a decision as it is signed: canonical JSON, members in order, whatever is not ASCII escaped.
 *
 * @returns ASCII; its bytes are what the signature covers.
 */
export function decisionText(decision: CampaignDecision): string {
  const { campaignId, contentSha256, dossierSha256, note, signedAt } = decision;
  const ordered = {
    _type: 'CampaignDecision',
    campaignId,
    contentSha256,
    decision: decision.decision,
    dossierSha256,
    ...(note === undefined || note === '' ? {} : { note }),
    signedAt,
  };
  return JSON.stringify(ordered).replaceAll(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
