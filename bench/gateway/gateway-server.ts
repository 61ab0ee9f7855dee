/** The real gateway in a process of its own: says where it listens, and its CPU time when asked. */
import { openBenchCloud } from '../cloud/bench-cloud.ts';
import { answerParent } from './server-process.ts';

const [folder = ''] = process.argv.slice(2);
const cloud = await openBenchCloud(folder);
const { running, postgres } = cloud;
answerParent({
  port: running.gateway.port,
  postgresMs: () => postgres.readMs(),
  close: () => cloud.close(),
});
