/** `immota key`: keys of people, and ceremonies in which several of them sign. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SIGNATURE_ALGORITHMS, type SignatureAlgorithm, type Signer } from '@immota/base';
import {
  describeKeyFile,
  generatePkcs11Signer,
  generateSigner,
  listKeyFiles,
  loadKeyFile,
  openPkcs11Signer,
  parseKeyName,
  saveKeyFile,
} from '@immota/pki';
import {
  AKTUALIZR,
  checkThreshold,
  decodeRoot,
  keyIdOf,
  keysOf,
  limits,
  TUF,
} from '@immota/uptane';
import { Command, Option } from 'commander';
import { nextRoot, type RoleChange, type RootRole } from '../ceremony/next-root.ts';
import {
  encodePublicKey,
  encodeRequest,
  encodeSignatures,
  importSignatures,
  parsePublicKey,
  parseRequest,
  parseSignatures,
  type RequestedFile,
  signRequest,
  unsignedFile,
} from '../ceremony/signing-request.ts';
import type { CommandContext } from '../context.ts';
import { CliFault } from '../fault.ts';
import { table } from '../terminal/output.ts';
import { publishKeysCommand, rolesCommand } from './key-cloud.ts';
import { keyDecisionCommand } from './key-decision.ts';

const DIALECTS = { aktualizr: AKTUALIZR, tuf: TUF } as const;

interface KeyPlace {
  readonly keys: string;
  readonly module?: string;
  readonly token?: string;
}

/** Adds `immota key` to the command. */
export function keyCommand(context: CommandContext): Command {
  const command = new Command('key').description('make keys, and sign with them in ceremonies');
  command.addCommand(generateCommand(context));
  command.addCommand(listCommand(context));
  command.addCommand(exportCommand(context));
  command.addCommand(rootCommand(context));
  command.addCommand(signCommand(context));
  command.addCommand(importCommand(context));
  command.addCommand(rolesCommand(context));
  command.addCommand(publishKeysCommand(context));
  command.addCommand(keyDecisionCommand(context));
  return command;
}

function withKeyPlace(command: Command): Command {
  return command
    .option('--keys <DIR>', 'the folder of your key files', 'keys')
    .option('--module <FILE>', 'a PKCS#11 module, for keys in a token')
    .option('--token <LABEL>', 'the token’s label')
    .option('--passphrase-file <FILE>', 'reads passphrase or PIN from a file instead of asking');
}

function generateCommand(context: CommandContext): Command {
  const command = new Command('generate')
    .description('make a key pair; the private half stays in its file or token')
    .argument('<name>', 'letters, digits, ".", "_", "-"')
    .addOption(
      new Option('--algorithm <name>', 'how it signs')
        .choices(SIGNATURE_ALGORITHMS)
        .default('ed25519'),
    );
  return withKeyPlace(command).action(
    async (
      name: string,
      options: KeyPlace & {
        readonly algorithm: SignatureAlgorithm;
        readonly passphraseFile?: string;
      },
    ) => {
      const output = context.output();
      const secret = await context.askSecret('Passphrase', options.passphraseFile);
      const signer =
        options.module === undefined
          ? generateInFile(context, { folder: options.keys, name, secret }, options.algorithm)
          : await generatePkcs11Signer(
              { ...tokenOf(options), pin: secret, keyLabel: name },
              options.algorithm,
              context.entropy,
            );
      const keyId = keyIdOf(AKTUALIZR, signer.algorithm, signer.publicKeyDer);
      output.result(
        { name, algorithm: signer.algorithm, keyId },
        () => `Made ${signer.algorithm} key "${name}", id ${keyId}`,
      );
      output.note(`Next: immota key export ${name} --out ${name}.pub.json`);
    },
  );
}

function generateInFile(
  context: CommandContext,
  place: { readonly folder: string; readonly name: string; readonly secret: string },
  algorithm: SignatureAlgorithm,
): Signer {
  const signer = generateSigner(algorithm);
  saveKeyFile(place.folder, parseKeyName(place.name), signer, {
    passphrase: place.secret,
    entropy: context.entropy,
  });
  return signer;
}

function listCommand(context: CommandContext): Command {
  return new Command('list')
    .description('list the key files of a folder')
    .option('--keys <DIR>', 'the folder of your key files', 'keys')
    .action(({ keys }: KeyPlace) => {
      const found = listKeyFiles(keys).map((name) => {
        const { algorithm, publicKeyDer } = describeKeyFile(keys, name);
        return {
          name: String(name),
          algorithm,
          keyId: keyIdOf(AKTUALIZR, algorithm, publicKeyDer),
        };
      });
      context
        .output()
        .result(found, (rows) =>
          table([
            ['NAME', 'ALGORITHM', 'KEY ID'],
            ...rows.map((row) => [row.name, row.algorithm, row.keyId]),
          ]),
        );
    });
}

function exportCommand(context: CommandContext): Command {
  const command = new Command('export')
    .description('write the public half, to be handed to whoever prepares a Root')
    .argument('<name>', 'the key')
    .requiredOption('--out <FILE>', 'where to');
  return withKeyPlace(command).action(
    async (
      name: string,
      options: KeyPlace & { readonly out: string; readonly passphraseFile?: string },
    ) => {
      const { algorithm, publicKeyDer } =
        options.module === undefined
          ? describeKeyFile(options.keys, parseKeyName(name))
          : await openSigner(context, name, options);
      writeFileSync(options.out, encodePublicKey({ name, algorithm, publicKeyDer }));
      const keyId = keyIdOf(AKTUALIZR, algorithm, publicKeyDer);
      context.output().result({ file: options.out, keyId }, () => `Wrote ${options.out}`);
    },
  );
}

function rootCommand(context: CommandContext): Command {
  return new Command('root')
    .description('prepare the first or next Root of a repository as a signing request')
    .addOption(
      new Option('--repository <name>', 'which')
        .choices(['director', 'image'])
        .makeOptionMandatory(),
    )
    .option('--from <DIR>', 'folder with the Root in force in each dialect: DIALECT.root.json')
    .option('--add <ROLE=FILE>', 'a public key joins a role; repeat', collect, [])
    .option(
      '--remove <ROLE=KEYID>',
      'a key leaves a role: rotation, revocation; repeat',
      collect,
      [],
    )
    .option('--threshold <ROLE=N>', 'how many must sign; repeat', collect, [])
    .option('--expires-days <DAYS>', 'how long it is good', '365')
    .requiredOption('--out <FILE>', 'the signing request')
    .addHelpText('after', ROOT_EXAMPLE)
    .action((options: RootOptions) => {
      const changes = readChanges(options);
      const days = Number(options.expiresDays);
      if (!Number.isSafeInteger(days) || days < 1) {
        throw new CliFault('USAGE', 'Cannot make Root: --expires-days is no whole number');
      }
      const expires = context.clock.now().add({ hours: days * 24 });
      const names = options.repository === 'director' ? ['aktualizr'] : ['aktualizr', 'tuf'];
      const files: RequestedFile[] = (['aktualizr', 'tuf'] as const)
        .filter((dialect) => names.includes(dialect))
        .map((dialect) => {
          const current = readCurrent(dialect, options.from);
          const change = { current, changes, expires };
          return unsignedFile(DIALECTS[dialect], 'root', nextRoot(DIALECTS[dialect], change));
        });
      writeFileSync(options.out, encodeRequest({ repository: options.repository, files }));
      const version = files[0]?.version ?? 1;
      context
        .output()
        .result({ file: options.out, version }, () => `Wrote ${options.out} for Root ${version}`);
      context.output().note(`Next: each signer runs immota key sign ${options.out} --key NAME`);
    });
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

const ROOT_EXAMPLE = `
Example: a first Root that two of three people sign, with one online key for the rest
  immota key root --repository image --add root=ann.pub.json --add root=bob.pub.json \\
    --add root=cyd.pub.json --threshold root=2 --add targets=ann.pub.json \\
    --add snapshot=online.pub.json --add timestamp=online.pub.json --out root1.request.json`;

interface RootOptions {
  readonly repository: 'director' | 'image';
  readonly from?: string;
  readonly add: readonly string[];
  readonly remove: readonly string[];
  readonly threshold: readonly string[];
  readonly expiresDays: string;
  readonly out: string;
}

function readCurrent(
  dialect: keyof typeof DIALECTS,
  folder: string | undefined,
): Parameters<typeof nextRoot>[1]['current'] {
  if (folder === undefined) return undefined;
  const bytes = readFileSync(join(folder, `${dialect}.root.json`));
  return decodeRoot(DIALECTS[dialect], bytes, limits.ROOT_MAX_BYTES).body;
}

function readChanges({ add, remove, threshold }: RootOptions): readonly RoleChange[] {
  const roles: readonly RootRole[] = ['root', 'timestamp', 'snapshot', 'targets', 'time'];
  const split = (text: string): readonly [RootRole, string] => {
    const at = text.indexOf('=');
    const role = roles.find((known) => known === text.slice(0, at));
    if (role === undefined) throw new CliFault('USAGE', `Cannot read "${text}": ROLE=VALUE`);
    return [role, text.slice(at + 1)];
  };
  const adds = add.map(split);
  const removes = remove.map(split);
  const thresholds = new Map(threshold.map(split));
  return roles.map((role) => {
    const count = thresholds.get(role);
    return {
      role,
      add: adds.filter(([of]) => of === role).map(([, file]) => parsePublicKey(readFileSync(file))),
      remove: removes.filter(([of]) => of === role).map(([, keyId]) => checkedStart(keyId)),
      threshold: count === undefined ? undefined : Number(count),
    };
  });
}

function checkedStart(keyId: string): string {
  if (/^[0-9a-f]{8,64}$/.test(keyId)) return keyId;
  throw new CliFault('USAGE', `Cannot remove "${keyId}": give at least 8 digits of the key id`);
}

function signCommand(context: CommandContext): Command {
  const command = new Command('sign')
    .description('sign a request with your key')
    .argument('<request>', 'the signing request')
    .requiredOption('--key <NAME>', 'your key')
    .requiredOption('--out <FILE>', 'your signatures, to be sent back');
  return withKeyPlace(command).action(
    async (
      file: string,
      options: KeyPlace & {
        readonly key: string;
        readonly out: string;
        readonly passphraseFile?: string;
      },
    ) => {
      const request = parseRequest(readFileSync(file));
      for (const { dialect, role, version } of request.files) {
        context.output().say(`${request.repository} ${role} ${version} (${dialect.name})`);
      }
      const signer = await openSigner(context, options.key, options);
      const signatures = await signRequest(request, signer);
      writeFileSync(options.out, encodeSignatures(signatures));
      context
        .output()
        .result({ file: options.out, signed: signatures.length }, () => `Wrote ${options.out}`);
    },
  );
}

async function openSigner(
  context: CommandContext,
  name: string,
  options: KeyPlace & { readonly passphraseFile?: string },
): Promise<Signer> {
  const secret = await context.askSecret(
    options.module === undefined ? 'Passphrase' : 'PIN',
    options.passphraseFile,
  );
  return options.module === undefined
    ? loadKeyFile(options.keys, parseKeyName(name), secret)
    : openPkcs11Signer({ ...tokenOf(options), pin: secret, keyLabel: name });
}

function tokenOf(options: KeyPlace): { readonly modulePath: string; readonly tokenLabel: string } {
  if (options.module === undefined || options.token === undefined) {
    throw new CliFault('USAGE', 'Cannot open token: --module and --token go together');
  }
  return { modulePath: options.module, tokenLabel: options.token };
}

function importCommand(context: CommandContext): Command {
  return new Command('import')
    .description('add signatures that came back to a request, and write the files when complete')
    .argument('<request>', 'the signing request')
    .argument('<signatures...>', 'files that the signers sent')
    .requiredOption(
      '--out <DIR>',
      'folder for the request with its signatures, and the signed files',
    )
    .action(
      (file: string, signatureFiles: readonly string[], options: { readonly out: string }) => {
        const given = signatureFiles.flatMap((path) => parseSignatures(readFileSync(path)));
        const request = importSignatures(parseRequest(readFileSync(file)), given);
        writeFileSync(file, encodeRequest(request));
        const rows = request.files.map((signed) => ({
          dialect: signed.dialect.name,
          role: signed.role,
          version: signed.version,
          missing: missingFor(signed),
        }));
        context.writeFolder(options.out, (write) => {
          for (const { dialect, role, version, bytes } of request.files) {
            write(`${dialect.name}.${version}.${role}.json`, bytes);
            write(`${dialect.name}.${role}.json`, bytes);
          }
        });
        context
          .output()
          .result(rows, (all) =>
            table([
              ['DIALECT', 'ROLE', 'VERSION', 'STILL NEEDED'],
              ...all.map((row) => [row.dialect, row.role, String(row.version), row.missing]),
            ]),
          );
      },
    );
}

/** Whether the new Root vouches for itself; the Root before it is asked when it is published. */
function missingFor({ dialect, role, bytes }: RequestedFile): string {
  if (role !== 'root') return 'checked when published';
  const root = decodeRoot(dialect, bytes, limits.ROOT_MAX_BYTES);
  try {
    checkThreshold(root, root.body.keys, keysOf(root.body, 'root'));
    return 'none of its own keys';
  } catch {
    return `${keysOf(root.body, 'root').threshold} of its own keys must sign`;
  }
}
