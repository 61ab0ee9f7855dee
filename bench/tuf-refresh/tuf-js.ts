/** The same by tuf-js. */
import { Updater } from 'tuf-js';

const [url = '', folder = '', targetName = ''] = process.argv.slice(2);
const before = process.cpuUsage();
const updater = new Updater({
  metadataDir: folder,
  metadataBaseUrl: `${url}/metadata`,
  targetDir: folder,
  targetBaseUrl: `${url}/targets`,
});
await updater.refresh();
const found = await updater.getTargetInfo(targetName);
if (found === undefined) throw new TypeError('the target was not found');
const { user, system } = process.cpuUsage(before);
process.stdout.write(`${(user + system) / 1000}\n`);
