/**
 * How a Primary speaks with one Secondary, whatever lies between them: TCP today, DoIP and CAN later.
 *
 * The link carries and proves nothing: reports are signed, metadata and time are verified by the ECU
 * itself, an image is the one that metadata describe or it is refused. Every method may fail with
 * VehicleFault ECU_UNREACHABLE, which says nothing about what the ECU did meanwhile: ask `status`.
 */
import type { JsonObject, SignatureAlgorithm } from '@immota/base';
import type { EcuIdentifier, HardwareIdentifier, TargetName } from '@immota/uptane';
import type { MetadataBundle } from './metadata-bundle.ts';

/** Who an ECU is. Its Primary registers it so, and holds every report against this key. */
export interface SecondaryInfo {
  readonly ecuIdentifier: EcuIdentifier;
  readonly hardwareIdentifier: HardwareIdentifier;
  readonly verification: 'full' | 'partial';
  readonly identity: {
    readonly algorithm: SignatureAlgorithm;
    /** SubjectPublicKeyInfo, DER. */
    readonly publicKeyDer: Uint8Array;
  };
  /**
   * The ECU's public encryption key: a document of `ecuKeySchema`, signed by the identity key.
   * Undefined for an ECU that takes images in the clear only.
   */
  readonly encryptionKeyDocument: Uint8Array | undefined;
}

/** An image that the Primary has ready: ciphertext where the image is encrypted. */
export interface ImageOffer {
  readonly name: TargetName;
  /** Of the bytes that `open` gives. */
  readonly lengthBytes: number;
  /**
   * The bytes are a delta from what the ECU runs to the image, encrypted where the image is. An ECU that
   * cannot use it refuses, and is offered the image.
   */
  readonly isDelta?: true;
  /**
   * Opens the bytes from an offset on, so that an interrupted transfer goes on where it stopped. The
   * ECU pulls: it calls as often as it needs, after it has verified the metadata {uptane I8}.
   */
  open(offsetBytes: number): AsyncIterable<Uint8Array>;
}

/** What an ECU is doing. */
export interface SecondaryStatus {
  /**
   * `prepared`: a whole, verified image waits in the other slot. `trial`: the new image runs, was found
   * healthy, and is not final.
   */
  readonly phase: 'idle' | 'receiving' | 'prepared' | 'activating' | 'trial';
  /** SHA-256 in hex of the prepared image in the clear. */
  readonly preparedSha256: string | undefined;
  /**
   * Whether `revert` brings back what ran before a trial. False for an ECU with one bank: `sendImage`
   * overwrites what it runs, and it takes the image that was final last for as long as no other is.
   */
  readonly canRevert: boolean;
  /**
   * With one bank: the page of the deltas that rewrite it in place, a power of two. Left out where it
   * takes none.
   */
  readonly deltaPageBytes?: number | undefined;
}

/** One Secondary, as its Primary sees it. */
export interface SecondaryLink {
  /** As configured; `getInfo` must answer with the same. */
  readonly ecuIdentifier: EcuIdentifier;
  /** Whether the link carries deltas; what the ECU behind it makes of one, it says itself. */
  readonly takesDeltas?: boolean;
  getInfo(): Promise<SecondaryInfo>;
  /**
   * Asks for a fresh version report {uptane J3}.
   *
   * @param nonce - 16 bytes in hex; it comes back as `custom.nonce` in the signed report, so that no
   * old report passes for a new one. `custom.releaseCounter` is that of the installed image.
   * @returns the signed document.
   */
  report(nonce: string): Promise<JsonObject>;
  /** Draws the nonce for the next attestation, 16 to 32 bytes in hex; the ECU keeps it {uptane G5}. */
  drawTimeNonce(): Promise<string>;
  /** Hands a time attestation over. @throws VehicleFault ECU_REFUSED when the ECU does not trust it. */
  putTime(attestation: Uint8Array): Promise<void>;
  /**
   * Hands metadata over; the ECU verifies it, and keeps it when it is to be trusted {uptane I6}.
   *
   * @throws VehicleFault ECU_REFUSED with the ECU's own code in its message.
   */
  putMetadata(bundle: MetadataBundle): Promise<void>;
  /**
   * Offers an image; fulfils when the ECU has it whole and verified in its other slot.
   *
   * @throws VehicleFault ECU_REFUSED when the ECU's metadata do not assign it, or its bytes are wrong.
   */
  sendImage(offer: ImageOffer): Promise<void>;
  /**
   * Makes the ECU boot what it has prepared. Its next report says how that went {uptane J4}; a healthy
   * image runs on trial, until one of the next two.
   */
  activate(): Promise<void>;
  /**
   * Makes the trial final; an image that is final stays so. The ECU's release floor rises {uptane K7}.
   *
   * @throws VehicleFault ECU_REFUSED when nothing runs.
   */
  confirm(): Promise<void>;
  /**
   * Makes sure that the ECU runs what is final: it goes back from a trial, and gives up what it has
   * prepared. Nothing that was asked before is done after this: no activation that is still on its way
   * finds anything. With one bank the trial stays; the older image has to be written again.
   */
  revert(): Promise<void>;
  status(): Promise<SecondaryStatus>;
  close(): Promise<void>;
}
