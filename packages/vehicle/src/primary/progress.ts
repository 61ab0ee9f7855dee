/** What a Primary tells while it works: for a screen, a log, a test. Nothing depends on it. */
import type { EcuIdentifier, TargetName } from '@immota/uptane';
import type { ConsentStep } from '../consent/authority.ts';
import type { Notice } from '../consent/notice.ts';
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
      /** What people are told of it. */
      readonly notice: Notice;
      /** All images together, as they are served. */
      readonly downloadBytes: number;
    }
  | {
      readonly kind: 'consent';
      readonly step: ConsentStep;
      readonly decision: 'accepted' | 'postponed' | 'declined' | 'pending';
      /** When it begins, or is asked again; absent when that is now. */
      readonly at?: Temporal.Instant | undefined;
      /** When a mandatory update stops to wait for a yes. */
      readonly installsItselfAt?: Temporal.Instant | undefined;
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
      /** The update has come to a stop that a technician opens, or one has spoken. */
      readonly kind: 'technician';
      readonly step: 'activate' | 'commit';
      readonly state: 'awaited';
      readonly ecus: readonly string[];
    }
  | {
      readonly kind: 'technician';
      readonly step: 'activate' | 'commit';
      readonly state: 'spoke';
      readonly decision: 'go' | 'stop';
      readonly technician: string;
    }
  | {
      /** Something was refused; an attack, if the code names one. */
      readonly kind: 'refused';
      readonly code: string;
      readonly message: string;
    }
  | { readonly kind: 'certificate-renewed'; readonly notAfter: Temporal.Instant }
  | {
      /** A check-in is over. */
      readonly kind: 'check-in-ended';
      readonly result: 'nothing-new' | 'installed' | 'failed' | 'refused' | 'waiting' | 'booting';
      /** Why it waits or was refused. */
      readonly code: string | undefined;
    };

/** Hears what happens. It must not throw. */
export type ProgressListener = (event: ProgressEvent) => void;
