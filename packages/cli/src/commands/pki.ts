/** `immota pki`: credentials of vehicles. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { utf8 } from '@immota/base';
import { BOOTSTRAP_PREFIX, type Cloud, issueCredentials, openCloud } from '@immota/cloud';
import { encodeCredentialFiles, parseDeviceId } from '@immota/pki';
import { Command } from 'commander';
import { callServer, listAll } from '../client.ts';
import type { CommandContext } from '../context.ts';
import { text } from '../fields.ts';
import { table } from '../terminal/output.ts';
import { issueTechnicianCommand } from './technician.ts';

/** Adds `immota pki` to the command. */
export function pkiCommand(context: CommandContext): Command {
  const command = new Command('pki').description('issue and revoke credentials of vehicles');
  command
    .command('issue-device')
    .description('make the credentials of a vehicle: root.crt, client.pem, pkey.pem, pinned roots')
    .argument('<id>', 'VIN or device id; it becomes the common name of the certificate')
    .requiredOption('--out <DIR>', 'the folder for the vehicle')
    .action(async (id: string, options: { readonly out: string }) => {
      await withCloud(context, async (cloud) => {
        await writeDevice(context, cloud, { id, folder: options.out });
      });
      context.output().result({ id, folder: options.out }, () => `Wrote ${options.out} for ${id}`);
    });
  command
    .command('issue-bootstrap')
    .description('make shared credentials, with which vehicles may ask for their own once')
    .argument('<name>', 'of the batch')
    .requiredOption('--out <DIR>', 'the folder')
    .action(async (name: string, options: { readonly out: string }) => {
      await withCloud(context, async (cloud) => {
        const id = `${BOOTSTRAP_PREFIX}${name}`;
        await writeDevice(context, cloud, { id, folder: options.out });
      });
      context.output().result({ name, folder: options.out }, () => `Wrote ${options.out}`);
    });
  command
    .command('batch')
    .description('make the credentials of many vehicles, one folder each')
    .argument('<file>', 'ids, one a line')
    .requiredOption('--out <DIR>', 'the folder that holds the vehicles’ folders')
    .action(async (file: string, options: { readonly out: string }) => {
      const ids = readFileSync(file, 'utf8').split(/\s+/).filter(Boolean);
      await withCloud(context, async (cloud) => {
        for (const [index, id] of ids.entries()) {
          await writeDevice(context, cloud, { id, folder: join(options.out, id) });
          context.output().say(`${index + 1} of ${ids.length}: ${id}`);
        }
      });
      context.output().result({ devices: ids.length }, () => `Wrote ${ids.length} folders`);
    });
  command.addCommand(issueTechnicianCommand(context));
  addRevocation(command, context);
  return command;
}

function addRevocation(command: Command, context: CommandContext): void {
  command
    .command('list')
    .description('list certificates of vehicles')
    .option('--vehicle <ID>', 'only this one’s')
    .action(async (options: { readonly vehicle?: string }) => {
      const query = { vehicleId: options.vehicle };
      const list = listAll(context.connection(), 'listCertificates', { query });
      const rows = await Array.fromAsync(list);
      context
        .output()
        .result(rows, () =>
          table([
            ['SERIAL', 'VEHICLE', 'GOOD UNTIL', 'REVOKED'],
            ...rows.map((row) => [
              text(row, 'serial'),
              text(row, 'vehicleId'),
              text(row, 'notAfter'),
              text(row, 'revokedAt'),
            ]),
          ]),
        );
    });
  command
    .command('revoke')
    .description('revoke a certificate; the gateway honours it at once')
    .argument('<serial>', 'its serial number')
    .option('--reason <REASON>', 'keyCompromise, superseded, …', 'keyCompromise')
    .option('--unrecorded', 'also when it was issued beside the database, and is not on record')
    .action(async (serial: string, options: RevokeOptions) => {
      const { reason, unrecorded: isUnrecorded = false } = options;
      const call = { params: { serial }, json: { reason, isUnrecorded } };
      const row = await callServer(context.connection(), 'revokeCertificate', call);
      const owner = text(row, 'vehicleId');
      context
        .output()
        .result(row, () => `Revoked ${serial}${owner === '' ? ', not on record' : ` of ${owner}`}`);
    });
}

interface RevokeOptions {
  readonly reason: string;
  readonly unrecorded?: boolean;
}

/** Opens the data folder beside a running server, or without one. */
export async function withCloud(
  context: CommandContext,
  work: (cloud: Cloud) => Promise<void>,
): Promise<void> {
  const { clock, entropy } = context;
  const cloud = await openCloud({
    folder: context.dataFolder(),
    databaseUrl: process.env['DATABASE_URL'],
    clock,
    entropy,
    notice: (notice) => context.output().note(notice.message),
  });
  try {
    await work(cloud);
  } finally {
    await cloud.close();
  }
}

/** Makes credentials and writes what the factory puts into a vehicle {uptane H1} {uptane H3}. */
export async function writeDevice(
  context: CommandContext,
  cloud: Cloud,
  { id, folder }: { readonly id: string; readonly folder: string },
): Promise<void> {
  const credentials = await issueCredentials(cloud.context, parseDeviceId(id));
  const { rootPem, clientPem, privateKeyPem } = encodeCredentialFiles(credentials);
  context.writeFolder(folder, (write) => {
    write('root.crt', utf8(rootPem));
    write('client.pem', utf8(clientPem));
    write('pkey.pem', utf8(privateKeyPem), 0o600);
    write('director/root.json', cloud.store.director().root.bytes);
    // Under both names: AGL’s and Torizon’s client calls the Image repository "repo".
    write('repo/root.json', cloud.store.image('aktualizr').root.bytes);
    write('image/root.json', cloud.store.image('aktualizr').root.bytes);
  });
}
