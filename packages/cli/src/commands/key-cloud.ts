/** The part of `immota key` that touches a deployment: its online keys, and what ceremonies made. */
import { readFileSync } from 'node:fs';
import { CLOUD_ROLES, type OfferedFile } from '@immota/cloud';
import { Command } from 'commander';
import { encodePublicKey, parseRequest } from '../ceremony/signing-request.ts';
import type { CommandContext } from '../context.ts';
import { withCloud } from './pki.ts';

/** `immota key roles`: public keys of the deployment's own keys, to be listed in a Root. */
export function rolesCommand(context: CommandContext): Command {
  return new Command('roles')
    .description('write the public keys of the data folder, to be named in a Root')
    .requiredOption('--out <DIR>', 'one file a key: ROLE.ALGORITHM.pub.json')
    .action(async ({ out }: { readonly out: string }) => {
      const names: string[] = [];
      await withCloud(context, (cloud) => {
        context.writeFolder(out, (write) => {
          for (const role of CLOUD_ROLES) {
            for (const { algorithm, publicKeyDer } of cloud.keystore.signers(role)) {
              const name = `${role}.${algorithm}`;
              write(`${name}.pub.json`, encodePublicKey({ name, algorithm, publicKeyDer }));
              names.push(name);
            }
          }
        });
        return Promise.resolve();
      });
      context.output().result(names, () => names.join('\n'));
    });
}

/** `immota key publish`: what a ceremony signed comes into force. */
export function publishKeysCommand(context: CommandContext): Command {
  return new Command('publish')
    .description('publish signed requests: all of them, or none')
    .argument('<requests...>', 'signing requests after immota key import')
    .action(async (requests: readonly string[]) => {
      const files: OfferedFile[] = requests.flatMap((path) => {
        const request = parseRequest(readFileSync(path));
        return request.files.map(({ dialect, role, bytes }) => ({
          repository: request.repository,
          dialect: dialect.name,
          role,
          bytes,
        }));
      });
      await withCloud(context, (cloud) => cloud.publish(files));
      const published = files.map(
        ({ repository, dialect, role }) => `${repository} ${role} (${dialect})`,
      );
      context.output().result(published, () => `Published ${published.join(', ')}`);
    });
}
