/**
 * A Secondary: an ECU with keys, state and slots of its own, that verifies for itself what the Primary
 * hands over {uptane K1} and decrypts inside. It answers the very port that the Primary calls; what
 * lies between them is another file's matter.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Fault, type JsonObject } from '@immota/base';
import { type EcuIdentifier, hashesAgree, UptaneFault } from '@immota/uptane';
import { z } from 'zod';
import type { MetadataBundle } from '../link/metadata-bundle.ts';
import type {
  ImageOffer,
  SecondaryInfo,
  SecondaryLink,
  SecondaryStatus,
} from '../link/secondary-link.ts';
import { jsonValue } from '../primary/json-value.ts';
import { openFolderSlots } from '../slots/folder-slots.ts';
import type { SlotImage } from '../slots/image-slots.ts';
import { installDelta } from '../slots/install-delta.ts';
import { installImage } from '../slots/install-image.ts';
import { loadEcuKeys, signEncryptionKey } from '../state/ecu-keys.ts';
import { unwrapImageKey } from '../state/image-key.ts';
import { findRxswins, type Rxswin } from '../state/rxswins.ts';
import { openState } from '../state/vehicle-state.ts';
import { VehicleFault } from '../vehicle-fault.ts';
import { forgetToldAttacks, noteRefusal } from './attack-notes.ts';
import {
  findFinal,
  findPending,
  keepFinal,
  type PendingImage,
  savePending,
} from './pending-image.ts';
import type { SecondaryContext } from './secondary-context.ts';
import type { SecondaryOptions } from './secondary-options.ts';
import { SecondaryTime } from './secondary-time.ts';
import { verifyBundle } from './verify-bundle.ts';
import { keepReleaseCounter, makeReport } from './version-report.ts';

const OWN_DOCUMENT = jsonValue(
  'own-encryption-key',
  z.object({ recipient: z.string(), document: z.base64() }),
);

/** A Secondary that runs. */
export interface SecondaryEcu extends SecondaryLink {
  /** Tells which approved software it is part of now (UN R156); undefined when it is of none. */
  findRxswins(): readonly Rxswin[] | undefined;
  /** Notes a breach of the link's protocol, for the next report. */
  noteBreach(fault: Fault<string>): void;
}

/**
 * Starts a Secondary: opens its state and its slots, makes its keys the first time, and boots.
 *
 * @throws VehicleFault STATE_CORRUPT, STATE_BUSY or ECU_KEY; BUNDLE_MALFORMED when full verification
 * lacks the Image repository's Root.
 */
export async function openSecondary(options: SecondaryOptions): Promise<SecondaryEcu> {
  const { folder, factory, surroundings } = options;
  if (factory.verification === 'full' && factory.imageRoot === undefined) {
    throw new VehicleFault(
      'BUNDLE_MALFORMED',
      'Cannot verify fully: no Root of the Image repository',
    );
  }
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const state = openState(join(folder, 'state.sqlite'), { onWrite: options.onWrite });
  try {
    const { profile } = factory;
    const keys = loadEcuKeys(join(folder, 'keys'), { profile, entropy: surroundings.entropy });
    const slots =
      options.slots ??
      (await openFolderSlots({
        folder: join(folder, 'slots'),
        healthCheck: options.healthCheck,
        selfTest: options.selfTest,
      }));
    const onProgress = options.onProgress ?? nothing;
    const { factoryRxswins } = options;
    const context = { factory, state, keys, slots, surroundings, factoryRxswins, onProgress };
    const ecu = new Secondary(context);
    await ecu.boot();
    return ecu;
  } catch (error) {
    state.close();
    throw error;
  }
}

class Secondary implements SecondaryEcu {
  readonly ecuIdentifier: EcuIdentifier;
  readonly takesDeltas = true;
  readonly #context: SecondaryContext;
  readonly #time: SecondaryTime;
  /** What changes the ECU happens one after the other. */
  #last: Promise<unknown> = Promise.resolve();
  #phase: 'idle' | 'receiving' | 'activating' = 'idle';

  constructor(context: SecondaryContext) {
    this.#context = context;
    this.#time = new SecondaryTime(context);
    this.ecuIdentifier = context.factory.ecuIdentifier;
  }

  async boot(): Promise<void> {
    const { slots, state, onProgress } = this.#context;
    this.#phase = 'activating';
    try {
      const running = await slots.boot();
      keepReleaseCounter(this.#context);
      // A trial may end: until it is final, its assignment stands.
      if (!slots.condition().isTrial) forgetInstalled(this.#context, running);
      const { outcome } = slots.condition();
      const fields = { name: running?.name, outcome: outcome?.result };
      // {uptane J4}: the attempt is over; the report is made when the Primary asks, which it does.
      state.journal.append('booted', {
        name: running?.name ?? null,
        outcome: outcome?.result ?? null,
        reason: outcome?.reason ?? null,
      });
      onProgress({ kind: 'booted', ...fields });
    } finally {
      this.#phase = 'idle';
    }
  }

  async getInfo(): Promise<SecondaryInfo> {
    const { factory, keys } = this.#context;
    const { algorithm, publicKeyDer } = keys.identity;
    return {
      ecuIdentifier: factory.ecuIdentifier,
      hardwareIdentifier: factory.hardwareIdentifier,
      verification: factory.verification,
      identity: { algorithm, publicKeyDer },
      encryptionKeyDocument: await this.#encryptionKeyDocument(),
    };
  }

  async report(nonce: string): Promise<JsonObject> {
    return await makeReport(this.#context, nonce, this.#time.known());
  }

  async drawTimeNonce(): Promise<string> {
    // oxlint-disable-next-line require-await -- what `alone` takes is asynchronous, this is not
    return await this.#alone(async () => {
      forgetToldAttacks(this.#context);
      return this.#time.drawNonce();
    });
  }

  async putTime(attestation: Uint8Array): Promise<void> {
    // oxlint-disable-next-line require-await -- what `alone` takes is asynchronous, this is not
    await this.#alone(async () => {
      this.#time.accept(attestation);
    });
  }

  async putMetadata(bundle: MetadataBundle): Promise<void> {
    await this.#alone(async () => {
      await this.#time.acceptPending(bundle);
      const assignment = await verifyBundle(this.#context, bundle, this.#time.now());
      const former = findPending(this.#context);
      savePending(this.#context, assignment);
      const pending = findPending(this.#context);
      // What the Director has taken back must not be activated any more.
      if (former !== undefined && !isSame(pending?.image, former.image)) {
        await this.#context.slots.discardOther();
      }
      this.#context.onProgress({ kind: 'metadata-verified', assigned: assignment?.name });
    });
  }

  async sendImage(offer: ImageOffer): Promise<void> {
    await this.#alone(async () => {
      // {uptane I10} {uptane K3}: no byte is asked for before metadata have assigned it.
      const pending = this.#findAssigned(offer);
      const { slots } = this.#context;
      if (isSame(slots.findPrepared(), pending.image)) return;
      // A late offer must not write over the trial that came of an earlier one.
      if (slots.condition().isTrial && isSame(slots.findRunning(), pending.image)) {
        throw new VehicleFault('ON_TRIAL', `Cannot take "${offer.name}": it runs on trial`);
      }
      this.#phase = 'receiving';
      try {
        await this.#install(pending, offer);
      } finally {
        this.#phase = 'idle';
      }
    });
  }

  async activate(): Promise<void> {
    await this.#alone(async () => {
      const { slots } = this.#context;
      const prepared = slots.findPrepared();
      const isAssigned = isSame(findPending(this.#context)?.image, prepared);
      if (!isAssigned && !isSame(this.#findFallback()?.image, prepared)) {
        throw new VehicleFault('SLOT_EMPTY', 'Cannot activate: no assigned image is prepared');
      }
      await slots.activate();
      await this.boot();
    });
  }

  async confirm(): Promise<void> {
    await this.#alone(async () => {
      const { slots, state } = this.#context;
      const { isTrial } = slots.condition();
      // Before the slots say so: what may be written again must be known whenever it may be.
      const running = slots.findRunning();
      if (isTrial && isSame(running, findPending(this.#context)?.image)) keepFinal(this.#context);
      await slots.confirm();
      keepReleaseCounter(this.#context);
      forgetInstalled(this.#context, running);
      if (isTrial) state.journal.append('confirmed', { name: slots.findRunning()?.name ?? null });
    });
  }

  async revert(): Promise<void> {
    await this.#alone(async () => {
      const { slots } = this.#context;
      // Behind an activation that was on its way, and before any that is: see the port.
      await slots.discardOther();
      const { isTrial, canRevert } = slots.condition();
      if (!isTrial || !canRevert) return;
      await slots.revert();
      await this.boot();
    });
  }

  // oxlint-disable-next-line require-await -- the port is asynchronous, the slots know at once
  async status(): Promise<SecondaryStatus> {
    const { slots } = this.#context;
    const { isTrial, canRevert, deltaPageBytes } = slots.condition();
    const prepared = slots.findPrepared();
    const resting = isTrial ? 'trial' : prepared === undefined ? 'idle' : 'prepared';
    return {
      phase: this.#phase === 'idle' ? resting : this.#phase,
      preparedSha256: prepared?.hashes.get('sha256'),
      canRevert,
      ...(deltaPageBytes === undefined ? {} : { deltaPageBytes }),
    };
  }

  async close(): Promise<void> {
    await this.#settled();
    this.#context.state.close();
  }

  findRxswins(): readonly Rxswin[] | undefined {
    return findRxswins(this.#context) ?? this.#context.factoryRxswins;
  }

  noteBreach(fault: Fault<string>): void {
    noteRefusal(this.#context, fault);
  }

  /** What an ECU with one bank may be given again, besides what is assigned. */
  #findFallback(): PendingImage | undefined {
    const { slots } = this.#context;
    if (slots.condition().canRevert) return undefined;
    const fallback = slots.findFallback();
    const final = findFinal(this.#context);
    if (isSame(fallback, final?.image)) return final;
    // What the factory programmed, before there were any metadata: in the clear, and its hashes sealed.
    return fallback === undefined ? undefined : { image: fallback, encryption: undefined };
  }

  #findAssigned(offer: ImageOffer): PendingImage {
    const fallback = this.#findFallback();
    const isBack = fallback?.image.name === offer.name;
    const pending = isBack ? fallback : findPending(this.#context);
    if (pending?.image.name !== offer.name) {
      throw new VehicleFault('ECU_REFUSED', `Cannot take "${offer.name}": it is not assigned`);
    }
    const lengthBytes = pending.encryption?.lengthBytes ?? pending.image.lengthBytes;
    // A delta is of any length up to the image's; what comes out of it is measured.
    const isDelta = offer.isDelta === true && offer.lengthBytes < lengthBytes;
    if (offer.lengthBytes !== lengthBytes && !isDelta) {
      throw new UptaneFault(
        'IMAGE_LENGTH',
        `Cannot take "${offer.name}": ${offer.lengthBytes} bytes instead of ${lengthBytes}`,
      );
    }
    return pending;
  }

  async #install({ image, encryption }: PendingImage, offer: ImageOffer): Promise<void> {
    const { slots, onProgress } = this.#context;
    const common = {
      image,
      servedLengthBytes: offer.lengthBytes,
      contentKey: encryption === undefined ? undefined : this.#unwrap(image, encryption),
      onProgress: (receivedBytes: number, lengthBytes: number): void => {
        onProgress({ kind: 'receiving', name: image.name, receivedBytes, lengthBytes });
      },
    };
    if (offer.isDelta === true) {
      await installDelta(slots, { ...common, open: () => offer.open(0) });
    } else {
      await installImage(slots, { ...common, open: (offsetBytes) => offer.open(offsetBytes) });
    }
    onProgress({ kind: 'prepared', name: image.name });
  }

  /** {uptane K7}: the content key comes wrapped for this ECU, this hardware and this very image. */
  #unwrap(
    image: SlotImage,
    { method, key }: NonNullable<PendingImage['encryption']>,
  ): ReturnType<typeof unwrapImageKey> {
    const { keys, factory } = this.#context;
    const { ecuIdentifier, hardwareIdentifier } = factory;
    const imageSha256 = image.hashes.get('sha256');
    const notice = { method, key: key && { method: key.method, value: key.wrapped } };
    return unwrapImageKey(keys, notice, { ecuIdentifier, hardwareIdentifier, imageSha256 });
  }

  /** Kept, since some algorithms sign differently each time. */
  async #encryptionKeyDocument(): Promise<Uint8Array> {
    const { state, keys, factory } = this.#context;
    const recipient = keys.decryption.publicKey;
    const kept = state.values.load(OWN_DOCUMENT);
    if (kept?.recipient === recipient) return Uint8Array.fromBase64(kept.document);
    const document = await signEncryptionKey(factory.ecuIdentifier, keys);
    state.values.save(OWN_DOCUMENT, { recipient, document: document.toBase64() });
    return document;
  }

  /** Runs what changes the ECU, alone; its refusals are noted for the next report {uptane K6}. */
  async #alone<Result>(act: () => Promise<Result>): Promise<Result> {
    const before = this.#settled();
    const running = before.then(act);
    this.#last = running;
    try {
      return await running;
    } catch (error) {
      if (error instanceof Fault) noteRefusal(this.#context, error);
      throw error;
    }
  }

  async #settled(): Promise<void> {
    try {
      await this.#last;
    } catch {
      // Whoever asked for it has heard of it.
    }
  }
}

/** What runs for good is not waited for any more. */
function forgetInstalled(context: SecondaryContext, running: SlotImage | undefined): void {
  if (isSame(running, findPending(context)?.image)) savePending(context, undefined);
}

function isSame(left: SlotImage | undefined, right: SlotImage | undefined): boolean {
  return (
    left !== undefined &&
    right !== undefined &&
    left.name === right.name &&
    left.lengthBytes === right.lengthBytes &&
    hashesAgree(left.hashes, right.hashes)
  );
}

function nothing(): void {
  // Nobody watches.
}
