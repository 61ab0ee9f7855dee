import { Fault } from '@immota/base';

/** Why a file of evidence is refused. */
export type EvidenceFaultCode =
  /** A line that is no line of evidence, or longer than one may be. */
  | 'EVIDENCE_MALFORMED'
  /** A line whose content is not what was written. */
  | 'EVIDENCE_LINE'
  /** A line that is not there: something was taken out. */
  | 'EVIDENCE_GAP'
  /** Lines in another order than they were written in. */
  | 'EVIDENCE_ORDER'
  /** The file ends before its signature: it is a part of another, or a broken export. */
  | 'EVIDENCE_TRUNCATED'
  /** The signature at the end is for another file. */
  | 'EVIDENCE_TRAILER'
  /** The signature at the end is nobody's, or of a key that is not trusted. */
  | 'EVIDENCE_SIGNATURE'
  /** The release was not signed by those who may. */
  | 'EVIDENCE_RELEASE'
  /** The dossier is not the one that was approved, or lacks an item. */
  | 'EVIDENCE_DOSSIER'
  /** A decision is not by two people over this campaign. */
  | 'EVIDENCE_APPROVAL'
  /** A register entry does not follow from the one before it. */
  | 'EVIDENCE_REGISTER'
  /** An event does not follow from the one before it. */
  | 'EVIDENCE_CHAIN'
  /** The signed head of the event log does not fit its events. */
  | 'EVIDENCE_CHECKPOINT'
  /** The targets are not those of the frozen list, or one has no configuration or no result. */
  | 'EVIDENCE_TARGETS'
  /** A receipt of consent was not signed by the vehicle it names. */
  | 'EVIDENCE_CONSENT';

/** Thrown by the verifier. */
export class EvidenceFault extends Fault<EvidenceFaultCode> {
  override readonly name = 'EvidenceFault';
}
