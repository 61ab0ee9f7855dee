/** The web console: made for the browser once, and served as files by whoever runs the cloud. */
export { buildConsole, type BuildConsoleOptions } from './build.ts';
export { CONSOLE_CONTENT_SECURITY_POLICY } from './content-security-policy.ts';
