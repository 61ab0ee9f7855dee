/** What a Primary tells while it works: for a screen, a log, a test. Nothing depends on it. */
import type { EcuIdentifier, TargetName } from '@immota/uptane';
import type { Estimate } from '../transaction/experience.ts';

/** The steps of a cycle, in the standard's order {uptane I1}. */
export type CyclePhase =
  | 'register'
  | 'manifest'
  | 'time'
  | 'metadata'
  | 'consent'
  | 'download'
  | 'time-to-secondaries'
  | 'metadata-to-secondaries'
  | 'install'
  | 'activate'
  | 'roll-back'
  | 'report';

/** One thing that happened. */
export type ProgressEvent =
  | { readonly kind: 'phase'; readonly phase: CyclePhase }
  | {
      /** Metadata of both repositories are verified and assign this. */
      readonly kind: 'update-verified';
      readonly correlationId: string;
      readonly images: readonly { readonly ecu: EcuIdentifier; readonly name: TargetName }[];
    }
  | {
      readonly kind: 'consent';
      readonly step: 'download' | 'install';
      readonly decision: 'accepted' | 'postponed' | 'declined' | 'pending';
    }
  | {
      readonly kind: 'download';
      readonly name: TargetName;
      readonly receivedBytes: number;
      readonly lengthBytes: number;
    }
  | { readonly kind: 'image-verified'; readonly name: TargetName }
  | { readonly kind: 'ecu-prepared'; readonly ecu: EcuIdentifier; readonly name: TargetName }
  | { readonly kind: 'ecu-activated'; readonly ecu: EcuIdentifier; readonly name: TargetName }
  | {
      readonly kind: 'ecu-result';
      readonly ecu: EcuIdentifier;
      readonly code: string;
      readonly description: string;
    }
  | {
      /** How long what follows is expected to take, in milliseconds. */
      readonly kind: 'forecast';
      /** Beside the vehicle's use. */
      readonly prepare: Estimate;
      /** While it cannot be used. */
      readonly unusable: Estimate;
    }
  | {
      /** Something was refused; an attack, if the code names one. */
      readonly kind: 'refused';
      readonly code: string;
      readonly message: string;
    }
  | { readonly kind: 'certificate-renewed'; readonly notAfter: Temporal.Instant };

/** Hears what happens. It must not throw. */
export type ProgressListener = (event: ProgressEvent) => void;
