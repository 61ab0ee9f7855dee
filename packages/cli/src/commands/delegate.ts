/** `immota image delegate`: let a supplier sign images of its own {uptane C10} {uptane D4}. */
import { readFileSync, writeFileSync } from 'node:fs';
import { type Cloud, draftTargets } from '@immota/cloud';
import {
  AKTUALIZR,
  type DelegationDescription,
  type Delegations,
  type Dialect,
  keyIdOf,
  type KeyId,
  parseDelegatedRoleName,
  type PublicKey,
  type RoleName,
  TARGETS_ROLE,
  TUF,
} from '@immota/uptane';
import { Command } from 'commander';
import {
  encodeRequest,
  importSignatures,
  parsePublicKey,
  type PublicKeyCard,
  signRequest,
  type SigningRequest,
  unsignedFile,
} from '../ceremony/signing-request.ts';
import type { CommandContext } from '../context.ts';
import { CliFault } from '../fault.ts';
import { withCloud } from './pki.ts';

interface DelegateOptions {
  readonly key: readonly string[];
  readonly threshold: string;
  readonly paths: readonly string[];
  readonly hardware?: readonly string[];
  readonly terminating?: true;
  readonly request: string;
}

/** Adds `immota image delegate`. */
export function delegateCommand(context: CommandContext): Command {
  return new Command('delegate')
    .description('let a supplier sign images of its own: prepares the signing request for both')
    .argument('<role>', 'the supplier’s role')
    .requiredOption('--key <FILE...>', 'the supplier’s public keys')
    .requiredOption('--paths <PATTERN...>', 'which image names, for instance "brakes/*"')
    .option('--hardware <ID...>', 'only for this hardware')
    .option('--threshold <N>', 'how many of the keys must sign', '1')
    .option('--terminating', 'search no further for such names')
    .requiredOption('--request <FILE>', 'the signing request')
    .action(async (name: string, options: DelegateOptions) => {
      const role = parseDelegatedRoleName(name);
      const keys = options.key.map((file) => parsePublicKey(readFileSync(file)));
      const threshold = Number(options.threshold);
      if (!Number.isSafeInteger(threshold) || threshold < 1 || threshold > keys.length) {
        throw new CliFault('USAGE', `Cannot delegate: a threshold is 1 to ${keys.length}`);
      }
      await withCloud(context, async (cloud) => {
        const request = draftDelegation(cloud, { role, keys, threshold, options });
        writeFileSync(options.request, encodeRequest(await signHere(cloud, request)));
      });
      context.output().result({ file: options.request }, () => `Wrote ${options.request}`);
      context
        .output()
        .note(
          `Next: the supplier, and whoever holds targets keys, sign it; then immota key import and key publish`,
        );
    });
}

interface NewDelegation {
  readonly role: RoleName;
  readonly keys: readonly PublicKeyCard[];
  readonly threshold: number;
  readonly options: DelegateOptions;
}

/** The next Targets with the delegation in it, and the first, empty Targets of the role itself. */
function draftDelegation(cloud: Cloud, added: NewDelegation): SigningRequest {
  const { role, keys, threshold, options } = added;
  const files = [AKTUALIZR, TUF].flatMap((dialect) => {
    const state = cloud.store.image(dialect.name);
    const top = state.targets.get(TARGETS_ROLE);
    const description: DelegationDescription = {
      name: role,
      keys: keys.map(({ algorithm, publicKeyDer }) => ({
        keyId: keyIdOf(dialect, algorithm, publicKeyDer),
        algorithm,
        publicKeyDer,
      })),
      threshold,
      paths: options.paths,
      hardwareIdentifiers: options.hardware,
      terminating: options.terminating === true,
    };
    const kept = describeAll(dialect, top?.body.delegations).filter((one) => one.name !== role);
    const delegations = [...kept, description];
    const draft = draftTargets(cloud.trust, dialect, { current: top?.bytes, delegations });
    const current = state.targets.get(role)?.bytes;
    return [
      unsignedFile(dialect, TARGETS_ROLE, draft),
      unsignedFile(dialect, role, draftTargets(cloud.trust, dialect, { current })),
    ];
  });
  return { repository: 'image', files };
}

/** The delegations in force, as they are to be written again. */
function describeAll(
  dialect: Dialect,
  delegations: Delegations | undefined,
): readonly DelegationDescription[] {
  return (delegations?.entries ?? []).map((entry) => {
    const [role, ...others] = entry.roles;
    if (role === undefined || others.length > 0 || entry.names.kind !== 'paths') {
      throw new CliFault('USAGE', 'Cannot carry over a delegation of several roles: edit by hand');
    }
    return {
      name: role.name,
      keys: [...role.keyIds].map((keyId) => listKey(dialect, delegations?.keys.get(keyId), keyId)),
      threshold: role.threshold,
      paths: entry.names.patterns,
      hardwareIdentifiers:
        entry.hardwareIdentifiers === undefined ? undefined : [...entry.hardwareIdentifiers],
      terminating: entry.terminating,
    };
  });
}

function listKey(
  dialect: Dialect,
  key: PublicKey | undefined,
  keyId: KeyId,
): DelegationDescription['keys'][number] {
  const publicKeyDer = key?.exportDer();
  if (key?.algorithm === undefined || publicKeyDer === undefined) {
    throw new CliFault('USAGE', `Cannot carry over key ${keyId} of a delegation`);
  }
  const { algorithm } = key;
  return { keyId: keyIdOf(dialect, algorithm, publicKeyDer), algorithm, publicKeyDer };
}

/** Where the targets keys are in the data folder, they sign at once. */
async function signHere(cloud: Cloud, request: SigningRequest): Promise<SigningRequest> {
  let signed = request;
  for (const signer of cloud.keystore.signers('image-targets')) {
    const given = await signRequest(request, signer);
    signed = importSignatures(
      signed,
      given.filter(({ role }) => role === TARGETS_ROLE),
    );
  }
  return signed;
}
